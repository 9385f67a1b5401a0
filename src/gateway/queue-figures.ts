/** An estimate as the gauges of queues take it. */
import type { QueueFigures } from '../observe/metrics/queue-metrics.ts'
import type { Estimate } from '../scaling/estimate.ts'

export function queueFigures({ facts, desiredReplicas, wanted, limits, drainTime }: Estimate): QueueFigures {
  const { signal, rules } = facts
  // What the queue itself bounds is no replica that anybody misses.
  const useful = limits.flatMap(({ by, replicas }) => (by === 'maxReplicas' ? [] : [replicas]))
  return {
    ...signal,
    drain: drainTime,
    desiredReplicas,
    wantedReplicas: Math.min(wanted, ...useful),
    maxReplicas: rules.maxReplicas ?? null,
  }
}

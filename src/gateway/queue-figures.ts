/** An estimate as the gauges of queues take it. */
import type { QueueFigures } from '../observe/metrics/queue-metrics.ts'
import type { Estimate } from '../scaling/estimate.ts'

export function queueFigures({ facts, desiredReplicas, drainTime }: Estimate): QueueFigures {
  const { signal, rules } = facts
  return { ...signal, drain: drainTime, desiredReplicas, maxReplicas: rules.maxReplicas ?? null }
}

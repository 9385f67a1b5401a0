/** What a replica thinks of itself, as its probes say it. */
import { Counter, Gauge, type Registry } from '@prometheus-io/client'
import type { Events } from '../events.ts'
import type { ReplicaView } from './replica-view.ts'

export function healthMetrics(registry: Registry, events: Events, view: ReplicaView): void {
  const registers = [registry]
  const verdicts = new Gauge({
    name: 'runner_verdict',
    help: '1 for what probes are told just now, 0 for what they were told before.',
    labelNames: ['verdict'],
    registers,
  })
  verdicts.set({ verdict: 'starting' }, 1)
  events.on('verdict.changed', ({ verdict, was }) => {
    verdicts.set({ verdict: was }, 0)
    verdicts.set({ verdict }, 1)
  })
  const recreated = new Counter({
    name: 'runner_workers_recreated_total',
    help: 'Workers that fetched nothing although they should have, and were replaced.',
    labelNames: ['queue'],
    registers,
    collect() {
      // A rate is known only of a series that was there before.
      for (const queue of Object.keys(view.slots)) this.inc({ queue }, 0)
    },
  })
  events.on('worker.recreated', ({ queue }) => recreated.inc({ queue }))
}

/** Locks: how they were renewed, and what came of those that ran out. */
import { Counter, Histogram, type Registry } from '@prometheus-io/client'
import type { Events } from '../events.ts'
import type { ReplicaView } from './replica-view.ts'

/** Seconds. */
const DELAYS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export function lockMetrics(registry: Registry, events: Events, view: ReplicaView): void {
  const registers = [registry]
  const perQueue = (name: string, help: string) =>
    new Counter({
      name,
      help,
      labelNames: ['queue'],
      registers,
      // A rate is known only of a series that was there before.
      collect() {
        for (const queue of Object.keys(view.slots)) this.inc({ queue }, 0)
      },
    })
  const superseded = perQueue(
    'runner_jobs_superseded_total',
    'Runs that lost their job: somebody else started it, or it was removed.',
  )
  const reclaimed = perQueue('runner_jobs_reclaimed_total', 'Locks that had run out and were taken back.')
  const stalled = perQueue(
    'runner_jobs_stalled_total',
    'Jobs of replicas that are gone, which this one put back into their queue.',
  )
  const delay = new Histogram({
    name: 'runner_lock_renewal_delay_seconds',
    help: 'How much later than it should a turn of renewals was done. Half a lock duration loses the lock.',
    labelNames: ['queue'],
    buckets: DELAYS,
    registers,
  })
  events.on('job.superseded', ({ queue }) => superseded.inc({ queue }))
  events.on('job.reclaimed', ({ queue }) => reclaimed.inc({ queue }))
  events.on('job.stalled', ({ queue }) => stalled.inc({ queue }))
  events.on('locks.renewed', renewal =>
    delay.observe({ queue: renewal.queue }, Math.max(0, renewal.delay) / 1_000),
  )
}

/** Event loops that handlers held longer than `--block-warn`: counted when it is over, with who did it. */
import { Gauge, type Registry } from '@prometheus-io/client'
import type { Events } from '../events.ts'
import { OTHER, type JobSeries } from './job-series.ts'
import type { ReplicaView } from './replica-view.ts'

interface OpenBlock {
  queue: string
  job: string
  /** By performance.now(). */
  since: number
}

export function blockMetrics(
  registry: Registry,
  series: JobSeries,
  events: Events,
  view: Pick<ReplicaView, 'executors' | 'blocked'>,
): void {
  /** By executor: one that ends with its loop still held never says that it is over. */
  const open = new Map<number, OpenBlock>()
  const count = (queue: string, job: string, ms: number) => {
    const { blocks, blockedSeconds } = series.of(queue, job)
    blocks.count++
    blockedSeconds.count += ms / 1_000
  }
  events.on('job.blocked', ({ executor, ms, queue = OTHER, job = OTHER }) => {
    // Of native code the line comes when the call returns, which may be after its executor was given up.
    if (!view.executors.some(({ id }) => id === executor)) return
    open.set(executor, { queue, job, since: open.get(executor)?.since ?? performance.now() - ms })
  })
  events.on('job.unblocked', ({ executor, ms, queue, job }) => {
    open.delete(executor)
    count(queue, job, ms)
  })
  events.on('executor.ended', ({ executor }) => {
    const block = open.get(executor)
    if (block === undefined) return
    open.delete(executor)
    count(block.queue, block.job, performance.now() - block.since)
  })
  void new Gauge({
    name: 'runner_executors_blocked',
    help: 'Executors whose event loop is held longer than --block-warn just now.',
    registers: [registry],
    collect() {
      this.set(view.blocked)
    },
  })
}

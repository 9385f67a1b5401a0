/** Event loops that handlers held longer than `--block-warn`: counted when it is over, with who did it. */
import { Counter, Gauge, type Registry } from '@prometheus-io/client'
import type { Events } from '../events.ts'
import { OTHER } from './job-metrics.ts'
import type { ReplicaView } from './replica-view.ts'

interface OpenBlock {
  queue: string
  name: string
  /** By performance.now(). */
  since: number
}

export function blockMetrics(registry: Registry, events: Events, view: ReplicaView): void {
  const registers = [registry]
  const labelNames = ['queue', 'name']
  const blocks = new Counter({
    name: 'runner_job_blocks_total',
    help: 'Times that a handler held its event loop longer than --block-warn. Name _other: nobody can tell which.',
    labelNames,
    registers,
  })
  const seconds = new Counter({
    name: 'runner_job_blocked_seconds_total',
    help: 'Time that handlers held event loops, of blocks longer than --block-warn.',
    labelNames,
    registers,
  })
  /** By executor: one that ends with its loop still held never says that it is over. */
  const open = new Map<number, OpenBlock>()
  const count = (queue: string, name: string, ms: number) => {
    blocks.inc({ queue, name })
    seconds.inc({ queue, name }, ms / 1_000)
  }
  events.on('job.blocked', ({ executor, ms, queue = OTHER, job = OTHER }) => {
    // Of native code the line comes when the call returns, which may be after its executor was given up.
    if (!view.executors.some(({ id }) => id === executor)) return
    const name = view.isHandler(job) ? job : OTHER
    open.set(executor, { queue, name, since: open.get(executor)?.since ?? performance.now() - ms })
  })
  events.on('job.unblocked', ({ executor, ms, queue, job }) => {
    open.delete(executor)
    count(queue, view.isHandler(job) ? job : OTHER, ms)
  })
  events.on('executor.ended', ({ executor }) => {
    const block = open.get(executor)
    if (block === undefined) return
    open.delete(executor)
    count(block.queue, block.name, performance.now() - block.since)
  })
  new Gauge({
    name: 'runner_executors_blocked',
    help: 'Executors whose event loop is held longer than --block-warn just now.',
    registers,
    collect() {
      this.set(view.blocked)
    },
  })
}

/** A replica as its metrics read it. Memory only: nothing is asked of an executor or of Redis. */
import type { ReplicaView } from '../observe/metrics/replica-view.ts'
import { residentBytes } from './rss.ts'
import type { Stopping } from './stopping.ts'
import type { Supervisor } from './supervisor.ts'

export function viewOf(supervisor: Supervisor, stopping: Stopping): ReplicaView {
  const { pool, workers, blocking, runs } = supervisor
  return {
    isHandler: name => supervisor.jobs.has(name),
    get slots() {
      return workers.concurrency
    },
    get slotsUsed() {
      const used = Object.fromEntries(workers.all.map(({ name }) => [name, 0]))
      for (const { job } of runs) used[job.queueName] = (used[job.queueName] ?? 0) + 1
      return used
    },
    get executors() {
      return pool.executors
    },
    get blocked() {
      return blocking.blocks.length
    },
    get abandoned() {
      return pool.abandoned
    },
    get draining() {
      return stopping.started || supervisor.quiet
    },
    residentBytes: () => residentBytes(pool.executors.flatMap(({ pid }) => pid ?? [])),
  }
}

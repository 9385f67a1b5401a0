/** The queue of a job whose file names none. */
import { DEFAULT_QUEUE } from '../job/load.ts'
import type { JobEntry } from '../job/manifest.ts'
import type { Replica } from '../redis/replicas.ts'

export interface QueueChoice {
  queue: string
  /** Why it is not the default one, or may not be the one that was meant; for people. */
  note?: string
}

/** The queue that was asked for or that the file names, if any: no replica has a say in that. */
export function namedQueue(given: string | undefined, entry: JobEntry | undefined): string | undefined {
  return given ?? (entry?.queueNamed === true ? entry.queue : undefined)
}

/**
 * `default`, unless no live replica works it and some that know the job work others: then the one that most of them
 * work, first by name. A job that does not care where it runs should not wait where nobody looks.
 */
export function chooseQueue(job: string, live: Replica[]): QueueChoice {
  const able = live.filter(replica => !replica.quiet && replica.jobs.includes(job))
  if (able.length === 0 || able.some(replica => DEFAULT_QUEUE in replica.queues))
    return { queue: DEFAULT_QUEUE }
  const votes = new Map<string, Replica[]>()
  for (const replica of able) {
    for (const queue of Object.keys(replica.queues)) votes.set(queue, [...(votes.get(queue) ?? []), replica])
  }
  const [best] = [...votes].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
  if (best === undefined) return { queue: DEFAULT_QUEUE }
  const [queue, [replica]] = best as [string, [Replica]]
  return {
    queue,
    note: `no live replica works queue ${DEFAULT_QUEUE}: ${job} goes to ${queue}, which ${replica.id} works (--queue says otherwise)`,
  }
}

/**
 * Does one thing to every job that a filter lets pass, many at once, a page at a time. Each is changed by a script of
 * BullMQ that looks first whether the job still is where it was found, so that what another operator or a worker was
 * faster with is left alone, and nothing is done twice. Ended early, it has done whole jobs, and says how many.
 */
import { messageOf } from '../errors.ts'
import type { Client } from '../redis/client.ts'
import type { JobFilter } from '../redis/job-pages.ts'
import { serverTime } from '../redis/clock.ts'
import { walk } from './walk.ts'
import type { State } from './state.ts'

/** Jobs changed at once: as many commands as are on their way. */
const AT_ONCE = 200

export interface BulkTarget {
  queue: string
  base: string
  state: State
}

export interface Changed {
  /** It was not there any more, or not in this state. */
  gone?: true
  /** How it went, for people. */
  said?: string
  data?: Record<string, unknown>
}

export type Change = (target: BulkTarget, id: string) => Promise<Changed>

export interface BulkOptions {
  filter: JobFilter
  limit: number
  /** Aborted: no more jobs are begun. */
  signal: AbortSignal
  /** Rejects: it failed. */
  change: Change
  onProgress: (counts: BulkCounts) => void
}

export interface BulkCounts {
  done: number
  /** Changed by somebody else first. */
  gone: number
  failed: number
  /** Of the first of them. */
  reason?: string
}

/** What fails after this moment was not asked for: a job that is retried and fails at once is not retried again. */
export async function bulk(
  client: Client,
  targets: readonly BulkTarget[],
  { filter, limit, signal, change, onProgress }: BulkOptions,
): Promise<BulkCounts> {
  const counts: BulkCounts = { done: 0, gone: 0, failed: 0 }
  const until = await serverTime(client)
  const one = async (target: BulkTarget, id: string) => {
    try {
      const { gone } = await change(target, id)
      counts[gone === true ? 'gone' : 'done']++
    } catch (error) {
      counts.failed++
      counts.reason ??= `${target.queue} ${id}: ${messageOf(error)}`
    }
  }
  for (const target of targets) {
    const before = counts.done
    const taken = () => counts.done - before
    for await (const { ids } of walk(client, target.base, target.state, {
      ...filter,
      oldestFirst: true,
      until,
      taken,
    })) {
      for (let i = 0; i < ids.length; i += AT_ONCE) {
        const some = ids.slice(i, i + Math.min(AT_ONCE, limit - counts.done))
        if (signal.aborted || some.length === 0) return counts
        await Promise.all(some.map(id => one(target, id)))
        onProgress(counts)
      }
    }
  }
  return counts
}

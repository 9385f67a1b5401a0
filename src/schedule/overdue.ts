/** Schedulers that do not run: their next job was due more than a minute ago, and nobody has taken it. */
import type { Scheduler } from './schedulers.ts'

/** Milliseconds: a worker that is busy, or starts, may be as late as that. */
const PATIENCE = 60_000

export interface Overdue {
  /** Milliseconds. */
  by: number
  reason: string
}

/** undefined: it is on time, or has come to its own end. */
export function overdueOf(scheduler: Scheduler, now: number): Overdue | undefined {
  const { next, nextJob, paused, queue, made, limit = Infinity, endDate = Infinity } = scheduler
  const by = now - next
  if (by <= PATIENCE) return undefined
  if (nextJob === 'lost') {
    // The last job of its own is over, and no other was to come.
    if (made >= limit || now > endDate) return undefined
    return { by, reason: 'its next job is gone, so that no other is made' }
  }
  if (paused) return { by, reason: `queue ${queue} is paused` }
  return { by, reason: `no worker has taken it from queue ${queue}` }
}

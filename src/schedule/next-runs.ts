/** When a scheduler comes round. */
import { timesAfter } from '../job/cron.ts'
import type { Scheduler } from './schedulers.ts'

/** The next `count` times, in ms since the epoch. Fewer where it ends before, or has a pattern of its worker's own. */
export function nextRuns(scheduler: Scheduler, count: number): number[] {
  const { next, made, limit = Infinity, endDate = Infinity } = scheduler
  const most = Math.max(1, Math.min(count, limit - made + 1))
  return [next, ...after(scheduler, most - 1).filter(time => time <= endDate)]
}

function after({ cron, timezone, every, next }: Scheduler, count: number): number[] {
  if (every !== undefined) return Array.from({ length: count }, (_, i) => next + (i + 1) * every)
  if (cron === undefined) return []
  try {
    return timesAfter({ cron, timezone }, next, count)
  } catch {
    // A worker may read patterns in a way of its own (`repeatStrategy`).
    return []
  }
}

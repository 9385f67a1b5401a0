/** When schedules are due, for who watches them. It only reads, and no more than any reader may. */
import type { Client } from './client.ts'

/** Of one queue: those that are due first. Nobody watches more. */
const MOST = 100
/** Those that have ended stay in the set for good, and in front: they must not hide the others. */
const MOST_READ = 1_000

export interface ScheduleTime {
  queue: string
  schedule: string
  /** Milliseconds since the epoch. In the past: no worker takes its job. */
  nextRun: number
}

/** Without those that have come to their own end, which BullMQ leaves in the set with the time of their last job. */
export async function scheduleTimes(client: Client, prefix: string, queue: string): Promise<ScheduleTime[]> {
  const base = `${prefix}:${queue}:repeat`
  const found = await client.zrange(base, '0', String(MOST_READ - 1), 'WITHSCORES')
  const now = Date.now()
  const all = Array.from({ length: found.length / 2 }, async (_, i) => {
    const time = { queue, schedule: found[2 * i] as string, nextRun: Number(found[2 * i + 1]) }
    return time.nextRun < now && (await hasEnded(client, base, time, now)) ? [] : [time]
  })
  return (await Promise.all(all)).flat().slice(0, MOST)
}

/** No other job is to come, and a worker has taken the last one, or it is gone. */
async function hasEnded(
  client: Client,
  base: string,
  { schedule, nextRun }: ScheduleTime,
  now: number,
): Promise<boolean> {
  const [[made, limit, endDate], [added, started]] = await Promise.all([
    client.hmget(`${base}:${schedule}`, 'ic', 'limit', 'endDate'),
    client.hmget(`${base}:${schedule}:${nextRun}`, 'timestamp', 'processedOn'),
  ])
  const isLast = Number(made ?? 0) >= Number(limit ?? Infinity) || now > Number(endDate ?? Infinity)
  return isLast && (added === null || started !== null)
}

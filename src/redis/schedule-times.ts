/** When schedules are due, for who watches them: one read of the set in which BullMQ keeps them, which any reader may do. */
import type { Client } from './client.ts'

/** Of one queue: those that are due first. Nobody watches more. */
const MOST = 100

export interface ScheduleTime {
  schedule: string
  /** Milliseconds since the epoch. In the past: no worker takes its job. */
  nextRun: number
}

export async function scheduleTimes(client: Client, prefix: string, queue: string): Promise<ScheduleTime[]> {
  const found = await client.zrange(`${prefix}:${queue}:repeat`, '0', String(MOST - 1), 'WITHSCORES')
  return Array.from({ length: found.length / 2 }, (_, i) => ({
    schedule: found[2 * i] as string,
    nextRun: Number(found[2 * i + 1]),
  }))
}

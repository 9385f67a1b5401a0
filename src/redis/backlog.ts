/** What keeps a queue's jobs waiting, in one round trip: for the replica that has free slots and takes none. */
import type { Client } from './client.ts'

export interface Backlog {
  /** Jobs that could be taken now, if nothing below held them. */
  waiting: number
  paused: boolean
  /** Of all replicas together: `concurrency` is used up, or `rate` is. */
  limited: 'concurrency' | 'rate' | undefined
}

/** Rejects when one of its commands does. */
export async function readBacklog(client: Client, prefix: string, queue: string): Promise<Backlog> {
  const key = (name: string) => `${prefix}:${queue}:${name}`
  const answers = await client
    .pipeline()
    .llen(key('wait'))
    .zcard(key('prioritized'))
    .llen(key('active'))
    .hmget(key('meta'), 'paused', 'concurrency', 'max')
    .get(key('limiter'))
    .pttl(key('limiter'))
    .exec()
  const [wait, prioritized, active, meta, taken, ttl] = (answers ?? []).map(([error, value]) => {
    if (error !== null) throw error
    return value
  }) as [number, number, number, (string | null)[], string | null, number]
  const [paused, concurrency, max] = meta
  // As BullMQ's script decides: what `queue.rateLimit()` writes counts only where the queue has a limit.
  const isRated = ttl > 0 && max !== null && max !== undefined && Number(taken) >= Number(max)
  const isFull = concurrency !== null && concurrency !== undefined && active >= Number(concurrency)
  return {
    waiting: wait + prioritized,
    paused: paused !== null && paused !== undefined,
    limited: isRated ? 'rate' : isFull ? 'concurrency' : undefined,
  }
}

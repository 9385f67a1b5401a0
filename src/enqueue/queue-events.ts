/** The events of a queue, on a connection of their own. */
import { setTimeout as delay } from 'node:timers/promises'
import { QueueEvents, type Queue } from 'bullmq'
import type { RedisHandle } from '../redis/connection.ts'

const CLOSE_MS = 500

export interface OpenEvents extends AsyncDisposable {
  readonly events: QueueEvents
}

/** From the last event that is there now, so that nothing that follows is missed, however late `run()` is called. */
export async function openEvents(
  redis: Pick<RedisHandle, 'connect' | 'prefix'>,
  queue: Queue,
): Promise<OpenEvents> {
  const connection = redis.connect('enqueue-events')
  const [last] = await connection.xrevrange(queue.toKey('events'), '+', '-', 'COUNT', 1)
  const events = new QueueEvents(queue.name, {
    connection,
    prefix: redis.prefix,
    autorun: false,
    lastEventId: last?.[0] ?? '0-0',
  })
  events.on('error', () => {})
  await events.waitUntilReady()
  return {
    events,
    async [Symbol.asyncDispose]() {
      // BullMQ's own connection for the stream, when it is between two attempts to reconnect, is disconnected at once
      // but never says so, and close() would wait for that word for ever.
      await Promise.race([events.close().catch(() => undefined), delay(CLOSE_MS, undefined, { ref: false })])
      connection.disconnect()
    },
  }
}

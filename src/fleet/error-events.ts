/** Errors that no job is to blame for, as events: those of Redis by their kind. */
import { messageOf } from '../errors.ts'
import type { Events } from '../observe/events.ts'
import { redisErrorKind } from '../redis/redis-error.ts'

/** `queue` empty: of none. */
export function emitError(events: Events, queue: string, error: unknown): void {
  const message = messageOf(error)
  const kind = redisErrorKind(error)
  if (kind === undefined) events.emit('worker.error', { queue, message })
  else events.emit('redis.error', { queue, kind, message })
}

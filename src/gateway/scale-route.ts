/**
 * `GET /v1/queues/{queue}/scale`: how many replicas a queue needs, and why. Never a number that is not known: 503 when
 * Redis cannot be read, since an autoscaler that is told 0 then stops a fleet in the middle of an outage.
 */
import { Hono } from 'hono'
import { RunnerError, messageOf } from '../errors.ts'
import { answerOf } from '../scaling/answer.ts'
import type { Estimate } from '../scaling/estimate.ts'
import { requireQueueName } from './queue-name.ts'

export interface ScaleSource {
  /** Throws QUEUE_UNKNOWN, CONFIG_INVALID, REDIS_UNREACHABLE. */
  read: (queue: string) => Promise<Estimate>
}

/** `onError` hears of what was answered with 500 or 503. */
export function scaleRoute(source: ScaleSource, onError: (queue: string, error: Error) => void): Hono {
  return new Hono().get('/v1/queues/:queue/scale', async c => {
    const queue = requireQueueName(c.req.param('queue'))
    try {
      return c.json(answerOf(await source.read(queue)))
    } catch (error) {
      const isUnknown = error instanceof RunnerError && error.code === 'QUEUE_UNKNOWN'
      if (!isUnknown) onError(queue, error as Error)
      throw error instanceof RunnerError ? error : new RunnerError('REDIS_UNREACHABLE', messageOf(error))
    }
  })
}

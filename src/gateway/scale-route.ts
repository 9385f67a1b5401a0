/**
 * `GET /v1/queues/{queue}/scale`: how many replicas a queue needs, and why. Never a number that is not known: 503 when
 * Redis cannot be read, since an autoscaler that is told 0 then stops a fleet in the middle of an outage.
 */
import { Hono } from 'hono'
import { RunnerError, messageOf, type ErrorCode } from '../errors.ts'
import { answerOf } from '../scaling/answer.ts'
import type { Estimate } from '../scaling/estimate.ts'

export interface ScaleSource {
  /** Throws QUEUE_UNKNOWN, CONFIG_INVALID, REDIS_UNREACHABLE. */
  read: (queue: string) => Promise<Estimate>
}

/** What no queue can be called: BullMQ refuses a colon, and the rest belongs into no key. */
// oxlint-disable-next-line no-control-regex -- those are what is looked for
const NO_NAME = /[:\u0000-\u001f\u007f]/
const LONGEST_NAME = 200

const STATUS: Partial<Record<ErrorCode, 404 | 500>> = { QUEUE_UNKNOWN: 404, CONFIG_INVALID: 500 }

/** `onError` hears of what was answered with 500 or 503. */
export function scaleRoute(source: ScaleSource, onError: (queue: string, error: Error) => void): Hono {
  return new Hono().get('/v1/queues/:queue/scale', async c => {
    const queue = c.req.param('queue')
    if (queue.length > LONGEST_NAME || NO_NAME.test(queue))
      return c.json(
        body('USAGE', `a queue has no such name: at most ${LONGEST_NAME} characters, and no ":"`),
        400,
      )
    try {
      return c.json(answerOf(await source.read(queue)), 200, { 'cache-control': 'no-store' })
    } catch (error) {
      const code = error instanceof RunnerError ? error.code : 'REDIS_UNREACHABLE'
      const status = STATUS[code] ?? 503
      if (status !== 404) onError(queue, error as Error)
      return c.json(body(code, messageOf(error)), status)
    }
  })
}

const body = (code: ErrorCode, message: string) => ({ error: { code, message } })

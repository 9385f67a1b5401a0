/** An end to waiting: without Redis, whatever is asked of it waits for ever. */
import { setTimeout as sleep } from 'node:timers/promises'
import { RunnerError } from '../../errors.ts'
import { formatMilliseconds } from '../../units.ts'

/** As `work`, or throws REDIS_UNREACHABLE after `ms`; `work` goes on. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const over = new AbortController()
  const silence = sleep(ms, undefined, { signal: over.signal }).then(() => {
    throw new RunnerError('REDIS_UNREACHABLE', `no answer within ${formatMilliseconds(ms)}`, {
      hint: 'what was asked for may still be done, as soon as Redis answers: look before you ask again',
    })
  })
  try {
    return await Promise.race([work, silence])
  } finally {
    silence.catch(() => undefined)
    over.abort()
  }
}

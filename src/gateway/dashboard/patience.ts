/** An end to waiting: without Redis, whatever is asked of it waits for ever. */
import { setTimeout as sleep } from 'node:timers/promises'
import { RunnerError } from '../../errors.ts'
import { formatMilliseconds } from '../../units.ts'

/** As `work`, or throws REDIS_UNREACHABLE after `ms`, with `hint`; `work` goes on. */
export async function within<T>(ms: number, work: Promise<T>, hint: string): Promise<T> {
  const over = new AbortController()
  const silence = sleep(ms, undefined, { signal: over.signal }).then(() => {
    throw new RunnerError('REDIS_UNREACHABLE', `Redis has not answered within ${formatMilliseconds(ms)}`, {
      hint,
    })
  })
  try {
    return await Promise.race([work, silence])
  } finally {
    silence.catch(() => undefined)
    over.abort()
  }
}

/** An end to waiting: without Redis, whatever is asked of it waits for ever. */
import { RunnerError } from '../../errors.ts'
import { formatMilliseconds } from '../../units.ts'
import { within as patiently } from '../patience.ts'

/** As `work`, or throws REDIS_UNREACHABLE after `ms`, with `hint`; `work` goes on. */
export const within = <T>(ms: number, work: Promise<T>, hint: string): Promise<T> =>
  patiently(
    ms,
    work,
    () =>
      new RunnerError('REDIS_UNREACHABLE', `Redis has not answered within ${formatMilliseconds(ms)}`, {
        hint,
      }),
  )

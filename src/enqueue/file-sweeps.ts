/** Sweeps files again and again, for as long as a process serves. */
import { setTimeout as sleep } from 'node:timers/promises'
import { sweepFiles, type SweepOptions, type Swept } from './file-sweeper.ts'

const EVERY = 10 * 60_000

export interface SweepsOptions extends SweepOptions {
  /** Ends them. */
  signal: AbortSignal
  /** Milliseconds from the end of one to the beginning of the next. Default 10 min. */
  every?: number
  onSwept?: (swept: Swept) => void
  /** Of a sweep as a whole: the next one does what it did not. */
  onFailed: (error: unknown) => void
}

/** Resolves when the signal has ended it. The first sweep begins at a random time within `every`: several may serve. */
export async function sweepAgain(options: SweepsOptions): Promise<void> {
  const { signal, every = EVERY } = options
  let wait = every * Math.random()
  for (;;) {
    await sleep(wait, undefined, { signal, ref: false }).catch(() => undefined)
    if (signal.aborted) return
    try {
      const swept = await sweepFiles(options)
      options.onSwept?.(swept)
    } catch (error) {
      if (!signal.aborted) options.onFailed(error)
    }
    wait = every
  }
}

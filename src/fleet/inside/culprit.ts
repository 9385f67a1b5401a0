/**
 * Tells the supervisor, in the last moment, in whose async context this executor was ended: `process.exit`, an
 * uncaught error, an unhandled rejection. What cannot be told from inside (out of memory, a segfault, a signal) the
 * supervisor finds out by running the suspects alone (see ../blame.ts).
 */
import type { DyingWords } from '../protocol.ts'
import { failureOf } from './failure.ts'
import { currentRun } from './run.ts'

/** `say` must have handed the words over when it returns: nothing asynchronous happens after it. */
export function watchForEnd(say: (words: DyingWords) => void): void {
  const exit = process.exit.bind(process)
  let said = false
  const sayOnce = (words: DyingWords) => {
    if (said) return
    said = true
    say(words)
  }

  process.exit = (code?: number | string | null): never => {
    const exitCode = Number(code ?? process.exitCode ?? 0)
    // The stack says which line of which library called it.
    const stack = new Error(`process.exit(${exitCode})`).stack ?? ''
    sayOnce({
      cause: 'exit',
      ...here(),
      exitCode,
      stack,
      message: `called process.exit(${exitCode})`,
    })
    return exit(exitCode)
  }

  process.on('uncaughtException', (error, origin) => {
    const what =
      origin === 'unhandledRejection' ? 'left a rejection unhandled' : 'threw outside its own promise'
    // What was thrown may be anything: an error whose members throw must not cost these words.
    const { message, stack } = failureOf(error)
    const words: DyingWords = { cause: 'uncaught', ...here(), message: `${what}: ${message}` }
    if (stack !== undefined) words.stack = stack
    sayOnce(words)
    exit(1)
  })
}

function here(): Pick<DyingWords, 'seq' | 'job'> {
  const run = currentRun.getStore()
  return run === undefined ? { seq: null } : { seq: run.seq, job: `${run.name} ${run.id}` }
}

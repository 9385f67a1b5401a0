/** Something long that Ctrl-C ends between two steps, with a line that says how far it is. */
import { EXIT } from '../errors.ts'
import { ProgressLine } from './progress-line.ts'

/** `work` looks at the signal before each step. Broken off, the exit code is 130. */
export async function breakable<Result>(
  note: (line: string) => void,
  work: (signal: AbortSignal, show: (text: string) => void) => Promise<Result>,
): Promise<{ result: Result; broken: boolean }> {
  const over = new AbortController()
  const onSignal = () => over.abort()
  process.once('SIGINT', onSignal)
  const line = new ProgressLine(note)
  try {
    const result = await work(over.signal, text => line.show(text))
    const broken = over.signal.aborted
    if (broken) process.exitCode = EXIT.forced
    return { result, broken }
  } finally {
    process.off('SIGINT', onSignal)
    line.close()
  }
}

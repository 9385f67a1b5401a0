/** Asks before what cannot be taken back. */
import { createInterface } from 'node:readline/promises'
import { RunnerError } from '../errors.ts'

/** Returns when it was said yes to. Throws USAGE when it was not, or when nobody can be asked. */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new RunnerError('USAGE', `${question} nobody can be asked here`, {
      hint: '--yes does it, --dry-run says how many there are',
    })
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    // Ctrl-C and Ctrl-D are a no.
    const answer = await terminal.question(`${question} [y/N] `).catch(() => '')
    if (!/^y(es)?$/i.test(answer.trim())) throw new RunnerError('USAGE', 'nothing was changed')
  } finally {
    terminal.close()
  }
}

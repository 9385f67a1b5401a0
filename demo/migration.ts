/** `runner enqueue migrate-users --follow`, as a user would type it: with its bar where there is a terminal. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { ENV, JOBS, RUNNER } from './command.ts'

/** Small batches, so that there are thousands of transactions to be killed between or within. */
const BATCH = 20

export class Migration {
  readonly #child: ChildProcess
  /** Exit code of the command. */
  readonly ended: Promise<number | null>

  constructor(folder: string, database: string) {
    const args = ['enqueue', 'migrate-users', '--database', database, '--batch', String(BATCH), '--follow']
    console.log(`\n$ runner ${args.join(' ')}`)
    this.#child = spawn(process.execPath, [RUNNER, ...args, ...JOBS], {
      cwd: folder,
      env: ENV,
      stdio: ['ignore', process.stdout.isTTY ? 'inherit' : 'pipe', 'inherit'],
    })
    this.ended = once(this.#child, 'exit').then(([code]) => code as number | null)
    if (this.#child.stdout !== null) createInterface({ input: this.#child.stdout }).on('line', printer())
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Of the events that `--follow` prints where there is no terminal: every tenth, and what is out of the ordinary. */
function printer(): (line: string) => void {
  let shown = 0
  return line => {
    const {
      event,
      done = 0,
      total = 1,
    } = JSON.parse(line) as { event: string; done?: number; total?: number }
    const tenth = Math.floor((10 * done) / total)
    if (event === 'stalled') console.log('its replica died: the job waits for another')
    if (event !== 'progress' || tenth <= shown) return
    shown = tenth
    console.log(`${String(tenth * 10).padStart(3)} %  ${done.toLocaleString('en')} rows`)
  }
}

/** `runner enqueue migrate-users`, as a user would type it, and with --follow: with its bars where there is a terminal. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { JOBS, RUNNER, envOf } from './command.ts'

export class Migration {
  readonly #child: ChildProcess
  /** Exit code of the command. */
  readonly ended: Promise<number | null>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.ended = once(child, 'exit').then(([code]) => code as number | null)
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', printer())
  }

  /** Enqueues it while nobody works, so that its batches can be kept small: there are thousands to be killed in. */
  static begin(folder: string, database: string): void {
    for (const args of [
      ['enqueue', 'migrate-users', '--reason', 'demo'],
      ['migrations', 'set', 'migrate-users', '--batch', '20'],
    ]) {
      say(args)
      const { status, stdout, stderr } = spawnSync(process.execPath, [RUNNER, ...args, ...JOBS], {
        cwd: folder,
        env: envOf(database),
        encoding: 'utf8',
      })
      console.log(stdout.trimEnd())
      if (status !== 0) throw new Error(`exit code ${status}: ${stderr}`)
    }
  }

  static follow(folder: string, database: string): Migration {
    const args = ['enqueue', 'migrate-users', '--follow']
    say(args)
    return new Migration(
      spawn(process.execPath, [RUNNER, ...args, ...JOBS], {
        cwd: folder,
        env: envOf(database),
        stdio: ['ignore', process.stdout.isTTY ? 'inherit' : 'pipe', 'inherit'],
      }),
    )
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

function say(args: readonly string[]): void {
  console.log(`\n$ runner ${args.join(' ')}`)
}

/** Of the events that `--follow` prints where there is no terminal: every tenth. */
function printer(): (line: string) => void {
  let shown = 0
  return line => {
    if (!line.startsWith('{')) return console.log(line)
    const { done = 0, total } = JSON.parse(line) as { done?: number; total?: number | null }
    const tenth = Math.floor((10 * done) / (total ?? Infinity))
    if (tenth <= shown) return
    shown = tenth
    console.log(`${String(tenth * 10).padStart(3)} %  ${done.toLocaleString('en')} rows`)
  }
}

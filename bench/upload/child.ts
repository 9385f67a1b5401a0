/** A process that says one thing when it is ready, and what it takes of memory, seen from outside. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

const KIB = 1024

export class Child<Ready> implements AsyncDisposable {
  readonly ready: Ready
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, ready: Ready) {
    this.#process = child
    this.ready = ready
  }

  /** Throws when it ends before it is ready; it has said why. */
  static async start<Ready>(
    file: URL,
    args: string[],
    { env = {}, imports = [] as URL[], cwd = process.cwd() } = {},
  ): Promise<Child<Ready>> {
    const child = fork(file, args, {
      execArgv: ['--no-warnings', ...imports.map(({ href }) => `--import=${href}`)],
      env: { ...process.env, ...env },
      cwd,
    })
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`${file.pathname} ended with ${code as number}`)
    })
    const [ready] = (await Promise.race([once(child, 'message'), exited])) as [Ready]
    // From here on it is ended by us.
    exited.catch(() => undefined)
    return new Child(child, ready)
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Bytes: now, and the most that it ever had. */
  memory(): { rss: number; peak: number } {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8')
    const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * KIB
    return { rss: of('VmRSS'), peak: of('VmHWM') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited.catch(() => undefined)
  }
}

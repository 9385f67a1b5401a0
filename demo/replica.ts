/** One `runner work` process of the demo. Its log is kept in the demo's folder. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const root = join(import.meta.dirname, '..')
export const RUNNER = join(root, 'bin', 'runner.js')
export const JOBS = ['--jobs', join(root, 'jobs'), '--jobs', join(root, 'scripts')]

export class Replica {
  readonly name: string
  readonly started: Promise<void>
  readonly #child: ChildProcess
  readonly #seen = new Set<string>()

  constructor(name: string, folder: string) {
    this.name = name
    const args = [
      RUNNER,
      'work',
      ...JOBS,
      '--lock-duration',
      '3s',
      '--stalled-interval',
      '1s',
      '--log-level',
      'debug',
    ]
    this.#child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, OUTBOX: join(folder, 'outbox') },
      stdio: ['ignore', 'ignore', 'pipe'],
      // Ctrl-C ends the demo, and the demo ends its replicas.
      detached: true,
    })
    const log = createWriteStream(join(folder, `replica-${name}.log`))
    const ready = Promise.withResolvers<void>()
    this.started = ready.promise
    this.#child.stderr?.pipe(log)
    createInterface({ input: this.#child.stderr as NodeJS.ReadableStream }).on('line', line => {
      if (line.includes('"event":"fleet.started"')) ready.resolve()
      const job = /"job":"([^"]+)"/.exec(line)?.[1]
      if (job !== undefined) this.#seen.add(job)
    })
    this.#child.once('exit', code =>
      ready.reject(new Error(`replica ${name} ended with ${code}, see ${String(log.path)}`)),
    )
    this.started.catch(() => undefined)
  }

  /** Whether a line of this job was in its log. */
  runs(job: string): boolean {
    return this.#seen.has(job) && this.#child.exitCode === null && this.#child.signalCode === null
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await exit
  }
}

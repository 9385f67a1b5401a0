/** One `runner work` process of the demo. Its log is kept in the demo's folder. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { JOBS, RUNNER, envOf } from './command.ts'

const RECOVERY = ['--lock-duration', '3s', '--stalled-interval', '1s']
/** Should the demo be killed itself, its replicas end all the same. */
const LEASH = ['--max-time', '3m']

export class Replica {
  readonly name: string
  readonly started: Promise<void>
  readonly #child: ChildProcess

  constructor(name: string, folder: string, database: string) {
    this.name = name
    this.#child = spawn(process.execPath, [RUNNER, 'work', ...JOBS, ...RECOVERY, ...LEASH], {
      cwd: folder,
      env: { ...envOf(database), OUTBOX: join(folder, 'outbox') },
      stdio: ['ignore', 'ignore', 'pipe'],
      // Ctrl-C ends the demo, and the demo ends its replicas.
      detached: true,
    })
    const stderr = this.#child.stderr as NodeJS.ReadableStream
    const log = join(folder, `replica-${name}.log`)
    stderr.pipe(createWriteStream(log))
    const ready = Promise.withResolvers<void>()
    this.started = ready.promise
    this.started.catch(() => undefined)
    createInterface({ input: stderr }).on('line', line => {
      if (line.includes('"event":"fleet.started"')) ready.resolve()
    })
    this.#child.once('exit', code =>
      ready.reject(new Error(`replica ${name} ended with ${code}, see ${log}`)),
    )
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill(signal)
    await exit
  }
}

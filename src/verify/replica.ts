/** One replica under test: a process of its own, which reaches Redis through a proxy of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { RunnerError } from '../errors.ts'
import { importFlags } from '../job/import-flags.ts'
import type { Endpoint } from '../redis/endpoint.ts'
import { PLACE, type CanaryPlace } from './canary.ts'
import { Proxy } from './proxy.ts'

/** The runner itself, or a BullMQ worker with the handler in its own process. */
export type Subject = 'runner' | 'bullmq'

export interface ReplicaSettings {
  subject: Subject
  endpoint: Endpoint
  prefix: string
  /** A folder of this verification, that only its user may read. */
  dir: string
  concurrency: number
  /** Milliseconds. */
  lockDuration: number
  stalledInterval: number
}

const HERE = new URL('.', import.meta.url)
const SUFFIX = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const BINARY = fileURLToPath(new URL('../../bin/runner.js', HERE))
const BARE = fileURLToPath(new URL(`bare-worker${SUFFIX}`, HERE))
const JOBS = fileURLToPath(new URL('jobs', HERE))

/** JavaScript heap in MiB, of an executor and of a bare worker: what a canary fills in a second. The least that is enough. */
const HEAP = 64
/** One whose verifier was killed ends by itself. */
const LEASH = '1h'

export class Replica {
  readonly number: number
  readonly proxy: Proxy
  readonly exited: Promise<void>
  isOver = false
  readonly #child: ChildProcess
  #said = ''

  private constructor(number: number, proxy: Proxy, child: ChildProcess) {
    this.number = number
    this.proxy = proxy
    this.#child = child
    this.exited = once(child, 'exit').then(() => void (this.isOver = true))
  }

  /** Resolves when it takes jobs. */
  static async start(number: number, settings: ReplicaSettings): Promise<Replica> {
    const { dir, endpoint, prefix, subject, ...rest } = settings
    const proxy = await Proxy.open(endpoint)
    const { path: _, ...server } = endpoint
    const proxied: Endpoint = { ...server, host: '127.0.0.1', port: proxy.port }
    const home = join(dir, `replica-${number}`)
    mkdirSync(home, { recursive: true, mode: 0o700 })
    const file = (name: string, text: string) => {
      const at = join(home, name)
      writeFileSync(at, text, { mode: 0o600 })
      return at
    }
    const bare = { endpoint: proxied, prefix, ...rest }
    const place: CanaryPlace = { endpoint, journal: `${prefix}:journal`, replica: number, bare }
    const config = { redis: proxied, prefix, jobs: [JOBS] }
    const configFile = file('runner.config.mjs', `export default ${JSON.stringify(config)}\n`)
    const args =
      subject === 'bullmq'
        ? [...importFlags(), `--max-old-space-size=${HEAP}`, BARE]
        : [BINARY, 'work', '--config', configFile, ...flagsOf(settings)]
    const child = spawn(process.execPath, args, {
      cwd: home,
      env: { ...cleanEnv(), [PLACE]: file('place.json', JSON.stringify(place)) },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const replica = new Replica(number, proxy, child)
    await replica.#untilReady()
    return replica
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async stop(): Promise<void> {
    if (!this.isOver) this.kill('SIGKILL')
    await this.exited
    await this.proxy.close()
  }

  async #untilReady(): Promise<void> {
    const ready = Promise.withResolvers<void>()
    createInterface({ input: this.#child.stderr! }).on('line', line => {
      if (this.#said.length < 10_000) this.#said += `${line}\n`
      if (line.includes('"event":"fleet.started"')) ready.resolve()
    })
    await Promise.race([ready.promise, this.exited])
    if (!this.isOver) return
    await this.proxy.close()
    throw new RunnerError('EXECUTOR_BOOT_FAILED', `replica ${this.number} did not start:\n${this.#said}`)
  }
}

function flagsOf({ concurrency, lockDuration, stalledInterval }: ReplicaSettings): string[] {
  return [
    ['--queue', `verify:${concurrency}`, '--executors', '2', '--executor-memory', `${HEAP}MiB`],
    ['--lock-duration', `${lockDuration}ms`, '--stalled-interval', `${stalledInterval}ms`],
    ['--grace', '1s', '--max-time', LEASH, '--log-level', 'info'],
  ].flat()
}

/** Settings of the user would change what is verified. */
function cleanEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('RUNNER_') && name !== 'REDIS_URL'),
  )
}

/** One `runner work` process: its log events as they come, its signals, its end. Never outlives the test. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { BINARY, cleanEnv } from './runner.ts'

const FLEET_JOBS = fileURLToPath(new URL('../fixtures/jobs-fleet', import.meta.url))

/** A replica whose test process was killed ends by itself. */
const LEASH = ['--max-time', '10m']

export interface LogLine {
  event?: string
  msg?: string
  [field: string]: unknown
}

export interface ReplicaEnd {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** Milliseconds since the last signal sent with `kill`, or since the start. */
  ms: number
}

export interface ReplicaOptions {
  /** Without a URL: what the config file in `cwd` says. */
  redis: { url?: string }
  /** Where handlers write down their runs. Default: `redis`. */
  oracle?: { url: string }
  args?: string[]
  /** Default: the fixtures of the fleet. */
  jobs?: string
  env?: Record<string, string>
  cwd?: string
  /** Default debug. */
  logLevel?: string
  /** In a session of its own, without a terminal, as under an init. */
  setsid?: boolean
}

export class Replica implements AsyncDisposable {
  readonly pid: number
  readonly lines: LogLine[] = []
  readonly ended: Promise<ReplicaEnd>
  stderr = ''
  stdout = ''
  readonly #kill: (signal: NodeJS.Signals) => void
  readonly #waiting = new Set<() => void>()
  #since = performance.now()
  #over = false

  constructor(options: ReplicaOptions) {
    const {
      redis,
      oracle = redis,
      args = [],
      jobs = FLEET_JOBS,
      env,
      cwd,
      logLevel = 'debug',
      setsid,
    } = options
    const place = redis.url === undefined ? [] : ['--redis', redis.url]
    const child = spawn(
      process.execPath,
      [BINARY, 'work', ...place, '--jobs', jobs, '--log-level', logLevel, ...LEASH, ...args],
      {
        cwd,
        env: { ...cleanEnv(env), ...(oracle.url !== undefined && { ORACLE_URL: oracle.url }) },
        detached: setsid === true,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    this.pid = child.pid as number
    this.#kill = signal => void child.kill(signal)
    child.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()))
    createInterface({ input: child.stderr }).on('line', line => this.#onLine(line))
    this.ended = once(child, 'close').then(([code, signal]) => {
      this.#over = true
      this.#wake()
      const ms = performance.now() - this.#since
      const end = { code: code as number | null, signal: signal as NodeJS.Signals | null, ms }
      return { ...end, stdout: this.stdout, stderr: this.stderr }
    })
  }

  /** Resolves once it takes jobs. */
  static async start(options: ReplicaOptions): Promise<Replica> {
    const replica = new Replica(options)
    await replica.event('fleet.started')
    return replica
  }

  kill(signal: NodeJS.Signals): void {
    this.#since = performance.now()
    this.#kill(signal)
  }

  /** The first line of this event, past or to come, whose fields are as in `match`. */
  async event(name: string, match: Record<string, unknown> = {}): Promise<LogLine> {
    const matches = (line: LogLine) =>
      line.event === name && Object.entries(match).every(([field, value]) => line[field] === value)
    await this.until(() => this.lines.some(matches), `the event ${name} ${JSON.stringify(match)}`)
    return this.lines.find(matches) as LogLine
  }

  events(name: string): LogLine[] {
    return this.lines.filter(line => line.event === name)
  }

  /** Looks again at every line. Rejects when the process ends first, with what it said. */
  until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const done = condition()
        if (!done && !this.#over) return
        this.#waiting.delete(look)
        if (done) resolve()
        else reject(new Error(`the replica ended without ${what}:\n${this.stderr}`))
      }
      this.#waiting.add(look)
      look()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) this.#kill('SIGKILL')
    await this.ended
  }

  #onLine(text: string): void {
    this.stderr += `${text}\n`
    if (text.startsWith('{')) {
      try {
        this.lines.push(JSON.parse(text) as LogLine)
      } catch {
        // Not ours: a handler may print what it likes.
      }
    }
    this.#wake()
  }

  #wake(): void {
    for (const look of this.#waiting) look()
  }
}

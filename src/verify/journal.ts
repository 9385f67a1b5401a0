/**
 * What canaries write down, straight to Redis and not by the way that faults cut: each start and each end of a run,
 * with the time of Redis as the one clock. A start looks for older runs of the same job that are alive: those that
 * have not said their end and whose connection is open, which the kernel closes when a thread or a process is gone
 * however it went. So a run that spins or is frozen counts as running.
 */
import type { Redis } from 'ioredis'

export interface RunRef {
  id: string
  fence: number
}

export interface RunEntry extends RunRef {
  what: 'start' | 'end'
  replica: number
  at: number
}

/** An older run was alive when this one started. */
export interface OverlapEntry extends RunRef {
  what: 'overlap'
  replica: number
  at: number
  older: { fence: number; replica: number }
}

/** A fault begins or ends at a replica. */
export interface FaultEntry {
  what: 'fault' | 'mended'
  fault: string
  replica: number
  at: number
}

/** `at`: milliseconds since the epoch, by the clock of Redis. */
export type Entry = RunEntry | OverlapEntry | FaultEntry

const APPEND = `
  local time = redis.call('TIME')
  local entry = cjson.decode(ARGV[1])
  entry.at = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('RPUSH', KEYS[1], cjson.encode(entry))`

/** Returns the runs of this job that have not ended, each as 'fence:replica:connection'. */
const START = `${APPEND}
  local before = redis.call('SMEMBERS', KEYS[2])
  redis.call('SADD', KEYS[2], ARGV[2])
  return before`

const END = `${APPEND}
  redis.call('SREM', KEYS[2], ARGV[2])`

export class Journal {
  readonly #client: Redis
  readonly #prefix: string
  readonly #replica: number
  #connection: Promise<number> | undefined

  /** `prefix`: of all its keys. `replica`: whose canaries write; 0 for the verifier itself. */
  constructor(client: Redis, prefix: string, replica = 0) {
    this.#client = client
    this.#prefix = prefix
    this.#replica = replica
  }

  async start(run: RunRef): Promise<void> {
    const entry = { what: 'start', replica: this.#replica, ...run }
    const keys = [`${this.#prefix}:log`, this.#runsOf(run)]
    const before = (await this.#client.eval(
      START,
      2,
      ...keys,
      JSON.stringify(entry),
      await this.#member(run),
    )) as string[]
    const older = before.map(text => text.split(':').map(Number) as [number, number, number])
    for (const [fence, replica, connection] of older) {
      if (fence === run.fence || !(await this.#isOpen(connection))) continue
      await this.#append({ ...entry, what: 'overlap', older: { fence, replica } })
    }
  }

  async end(run: RunRef): Promise<void> {
    const entry = { what: 'end', replica: this.#replica, ...run }
    const keys = [`${this.#prefix}:log`, this.#runsOf(run)]
    await this.#client.eval(END, 2, ...keys, JSON.stringify(entry), await this.#member(run))
  }

  fault(what: 'fault' | 'mended', fault: string, replica: number): Promise<void> {
    return this.#append({ what, fault, replica })
  }

  async read(): Promise<Entry[]> {
    const lines = await this.#client.lrange(`${this.#prefix}:log`, 0, -1)
    return lines.map(line => JSON.parse(line) as Entry)
  }

  /** How many entries there are. */
  length(): Promise<number> {
    return this.#client.llen(`${this.#prefix}:log`)
  }

  /** Whether any of these jobs has a run that is alive. */
  async hasAlive(ids: readonly string[]): Promise<boolean> {
    for (const id of ids) {
      for (const run of await this.#client.smembers(this.#runsOf({ id })))
        if (await this.#isOpen(connectionOf(run))) return true
    }
    return false
  }

  /** All that is written, and who runs these jobs. */
  async forget(ids: readonly string[]): Promise<void> {
    await this.#client.unlink(`${this.#prefix}:log`, ...ids.map(id => this.#runsOf({ id })))
  }

  async #append(entry: object): Promise<void> {
    await this.#client.eval(APPEND, 1, `${this.#prefix}:log`, JSON.stringify(entry))
  }

  #runsOf({ id }: Pick<RunRef, 'id'>): string {
    return `${this.#prefix}:runs:${id}`
  }

  async #member({ fence }: RunRef): Promise<string> {
    this.#connection ??= this.#client.client('ID')
    return `${fence}:${this.#replica}:${await this.#connection}`
  }

  async #isOpen(connection: number): Promise<boolean> {
    return String(await this.#client.client('LIST', 'ID', connection)).trim() !== ''
  }
}

/** Of 'fence:replica:connection'. */
function connectionOf(run: string): number {
  return Number(run.split(':')[2])
}

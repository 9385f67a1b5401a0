/**
 * Three replicas, canary jobs and one fault after the other, on a Redis that is somebody's: everything stands under a
 * prefix of its own, which is removed at the end.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { RedisHandle } from '../redis/connection.ts'
import { endpointOf } from '../redis/endpoint.ts'
import { canariesOf, ENDS, INFLICT, type Canary, type Fault } from './faults.ts'
import { Journal } from './journal.ts'
import { judge, type Outcome, type Verdict } from './oracle.ts'
import { Patience } from './patience.ts'
import { Replica, type ReplicaSettings, type Subject } from './replica.ts'

export interface VerificationOptions {
  redis: RedisHandle
  subject: Subject
  /** What is inflicted, round by round; the faults of one round at once, each on a replica of its own. */
  rounds: Iterable<readonly Fault[]>
  /** Canaries of each round. */
  jobs: number
  onVerdict: (faults: readonly Fault[], verdict: Verdict) => void
  /** So many replicas, of those that are started first, no fault ends. Default 0. */
  spared?: number
  signal: AbortSignal
}

const REPLICAS = 3
const CONCURRENCY = 10
/** Short, so that three of them are short too. Milliseconds. */
export const LOCK_DURATION = 2_000
const STALLED_INTERVAL = 1_000
const LOOK_EVERY = 50

export class Verification {
  readonly #options: VerificationOptions
  readonly #prefix = `runner-verify-${randomBytes(4).toString('hex')}`
  readonly #dir = mkdtempSync(join(tmpdir(), 'runner-verify-'))
  readonly #client: Redis
  readonly #journal: Journal
  readonly #queue: Queue
  #replicas: Replica[] = []
  #started = 0

  constructor(options: VerificationOptions) {
    this.#options = options
    this.#client = options.redis.connect('verify') as Redis
    this.#journal = new Journal(this.#client, `${this.#prefix}:journal`)
    this.#queue = new Queue('verify', { connection: this.#client, prefix: this.#prefix })
    this.#queue.on('error', () => undefined)
  }

  /** Rejects when the signal aborts. Nothing is left in Redis, on disk or running, however it ends. */
  async run(): Promise<void> {
    const { rounds, signal, onVerdict } = this.#options
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
    aborted.catch(() => undefined)
    const work = async () => {
      for (const faults of rounds) {
        if (signal.aborted) return
        onVerdict(faults, await this.#verify(faults))
      }
    }
    try {
      await Promise.race([work(), aborted])
    } finally {
      await this.#clean()
    }
  }

  async #verify(faults: readonly Fault[]): Promise<Verdict> {
    await this.#complement()
    const canaries = canariesOf(faults, this.#options.jobs, LOCK_DURATION)
    const jobs = await this.#queue.addBulk(
      canaries.map(({ name, act }) => ({ name, data: act, opts: { attempts: 1 } })),
    )
    const ids = jobs.map(({ id }) => id as string)
    const chosen = new Set<Replica>()
    const inflict = (fault: Fault) =>
      INFLICT[fault]({
        lockDuration: LOCK_DURATION,
        victim: () => this.#victim(fault, ids, chosen),
        mark: (what, { number }) => this.#journal.fault(what, fault, number),
      })
    await Promise.all(faults.map(inflict))
    const outcomes = await this.#untilFinished(ids, canaries)
    // An older run that is still alive may yet be seen by a newer one, and has a second to be gone.
    const verdict = judge(await this.#journal.read(), outcomes)
    await this.#forget(ids)
    return verdict
  }

  /** However long it goes on, Redis holds one round. */
  async #forget(ids: readonly string[]): Promise<void> {
    await this.#journal.forget(ids)
    for (const state of ['completed', 'failed'] as const) await this.#queue.clean(0, 0, state)
  }

  /** As many replicas as there should be, each with a number of its own. */
  async #complement(): Promise<void> {
    const alive = this.#replicas.filter(({ isOver }) => !isOver)
    for (const gone of this.#replicas.filter(({ isOver }) => isOver)) await gone.stop()
    const { redis, subject } = this.#options
    const settings: ReplicaSettings = {
      subject,
      endpoint: await endpointOf(redis.connect('verify-endpoint')),
      prefix: this.#prefix,
      dir: this.#dir,
      concurrency: CONCURRENCY,
      lockDuration: LOCK_DURATION,
      stalledInterval: STALLED_INTERVAL,
    }
    this.#replicas = alive
    const missing = Array.from({ length: REPLICAS - alive.length }, async () => {
      this.#replicas.push(await Replica.start(++this.#started, settings))
    })
    await Promise.all(missing)
  }

  /** The replica that runs most of these jobs, once one runs three. `chosen` are those that have their fault. */
  async #victim(fault: Fault, ids: readonly string[], chosen: Set<Replica>): Promise<Replica> {
    const spared = ENDS.has(fault) ? (this.#options.spared ?? 0) : 0
    for (;;) {
      const running = new Map<number, number>()
      for (const entry of await this.#journal.read()) {
        if (!('id' in entry) || !ids.includes(entry.id) || entry.what === 'overlap') continue
        running.set(entry.replica, (running.get(entry.replica) ?? 0) + (entry.what === 'start' ? 1 : -1))
      }
      const heldBy = ({ number }: Replica) => running.get(number) ?? 0
      const [victim] = this.#replicas
        .filter(replica => !replica.isOver && !chosen.has(replica) && replica.number > spared)
        .toSorted((a, b) => heldBy(b) - heldBy(a))
      if (victim !== undefined && heldBy(victim) >= Math.min(3, ids.length)) {
        chosen.add(victim)
        return victim
      }
      await sleep(LOOK_EVERY)
    }
  }

  async #untilFinished(ids: readonly string[], canaries: readonly Canary[]): Promise<Outcome[]> {
    const patience = new Patience()
    for (;;) {
      // A bare worker that ran out of memory took its process along.
      if (this.#replicas.some(({ isOver }) => isOver)) await this.#complement()
      const {
        wait = 0,
        active = 0,
        delayed = 0,
      } = await this.#queue.getJobCounts('wait', 'active', 'delayed')
      if (wait + active + delayed === 0) break
      const picture = [wait, active, delayed, await this.#journal.length()].join()
      if (await patience.isExhausted(picture, () => this.#journal.hasAlive(ids))) break
      await sleep(LOOK_EVERY)
    }
    return Promise.all(ids.map((id, i) => this.#outcomeOf(id, canaries[i]?.doomed === true)))
  }

  async #outcomeOf(id: string, doomed: boolean): Promise<Outcome> {
    const job = await this.#queue.getJob(id)
    const state = job === undefined ? 'gone' : await job.getState()
    const fence = state === 'completed' ? (job?.returnvalue as number) : undefined
    const reason = job?.failedReason
    return { id, state, fence, doomed, ...(reason === undefined ? {} : { reason }) }
  }

  async #clean(): Promise<void> {
    await Promise.allSettled(this.#replicas.map(replica => replica.stop()))
    await this.#queue.close()
    let cursor = '0'
    do {
      const [next, keys] = await this.#client.scan(cursor, 'MATCH', `${this.#prefix}:*`, 'COUNT', 1_000)
      cursor = next
      if (keys.length > 0) await this.#client.unlink(keys)
    } while (cursor !== '0')
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

/** The BullMQ worker of each queue that a replica works, with the locks that suit the queue. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Telemetry } from 'bullmq'
import type { Config } from '../config.ts'
import type { Manifest } from '../job/manifest.ts'
import type { Events } from '../observe/events.ts'
import type { RedisHandle } from '../redis/connection.ts'
import type { Fence } from '../redis/fence.ts'
import type { FleetJob } from './fleet-job.ts'
import { FleetWorker, type FleetWorkerEvents, type LockTimes } from './fleet-worker.ts'
import { LockTerms } from './lock-terms.ts'
import type { Measurements } from './measurements.ts'
import type { Replies } from './replies.ts'

const ENDLESS = 1_000_000
/** Milliseconds that a job which could not be moved because the connection was lost waits for the next try. */
const RETRY = 2_000
/** Milliseconds that a retired worker without a job is kept while its loop goes on: it may yet get one that it asked for. */
const LINGERS = 60_000
/** Milliseconds that a worker has to leave: at the stop, where all wait for it, and by itself. */
const LEAVES = { stop: 800, retired: 15_000 }
/** Milliseconds between two looks whether a retired worker has finished what it runs. */
const LOOK_EVERY = 250

export interface QueueWorkersOptions {
  /** Kept with each job that it starts, as BullMQ's `processedBy`. */
  replica: string
  config: Config
  events: Events
  client: ReturnType<RedisHandle['connect']>
  prefix: string
  telemetry: Telemetry | undefined
  fence: Fence
  replies: Replies
  measurements: Measurements
  handlers: Omit<FleetWorkerEvents, 'onReclaimed'>
  onError: (queue: string, error: unknown) => void
}

export class QueueWorkers {
  readonly all: FleetWorker[] = []
  readonly #options: QueueWorkersOptions
  readonly #terms: LockTerms
  /** A slice outlives any number of replicas: the ledger says what is wrong with it. */
  readonly #endless = new Set<string>()
  /** They only finish what they run. */
  readonly #retired = new Set<FleetWorker>()
  readonly #wanted = new Map<string, number>()
  #stopped = false

  constructor(options: QueueWorkersOptions) {
    this.#options = options
    const { config, events, measurements, onError } = options
    this.#terms = new LockTerms({ config, events, measurements, onError: error => onError('', error) })
  }

  /** Each with its concurrency. They take no job before `run`. */
  async open(queues: Record<string, number>, { jobs }: Pick<Manifest, 'jobs'>): Promise<void> {
    for (const { kind, queue } of jobs) if (kind === 'migration') this.#endless.add(queue)
    const opening = Object.entries(queues).map(async ([queue, concurrency]) =>
      this.#open(queue, concurrency, await this.#terms.of(queue)),
    )
    this.all.push(...(await Promise.all(opening)))
    this.#options.measurements.start()
  }

  /** Quiet, it would fetch jobs only to put them back: `resume` runs it then. */
  run(quiet: boolean): void {
    for (const worker of this.all) {
      if (quiet) void worker.pause(true)
      else if (!worker.isRunning())
        worker.run().catch((error: unknown) => this.#options.onError(worker.name, error))
    }
  }

  /** They fetch no more jobs. */
  async pause(): Promise<void> {
    await Promise.all(this.all.map(worker => worker.pause(true)))
  }

  async resume(): Promise<void> {
    await Promise.all(this.all.map(worker => worker.resume()))
  }

  /** By queue. */
  get concurrency(): Record<string, number> {
    return Object.fromEntries(
      this.all.map(({ name, concurrency }) => [name, this.#wanted.get(name) ?? concurrency]),
    )
  }

  /** For the jobs that are taken from now on; those above a smaller number go on. Undefined: it is not worked here. */
  setConcurrency(queue: string, concurrency: number): { before: number } | undefined {
    const worker = this.all.find(({ name }) => name === queue)
    if (worker === undefined) return undefined
    const before = this.#wanted.get(queue) ?? worker.concurrency
    this.#wanted.set(queue, concurrency)
    this.#share(queue)
    return { before }
  }

  /** Jobs of a queue that are held here, also by workers that were replaced. */
  heldOf(queue: string): number {
    return [...this.all, ...this.#retired].reduce((sum, one) => sum + (one.name === queue ? one.held : 0), 0)
  }

  /**
   * Another worker in the place of one that fetches no more. The old one fetches nothing from now on, if it ever wakes,
   * and keeps the locks of what it runs until that has ended; so long, the new one has the slots that are left.
   */
  recreate(old: FleetWorker): void {
    const { name, lockTimes } = old
    const wanted = this.#wanted.get(name) ?? old.concurrency
    this.#wanted.set(name, wanted)
    const fresh = this.#open(name, wanted, lockTimes)
    this.all[this.all.indexOf(old)] = fresh
    this.#retired.add(old)
    old.fetching.retired = true
    void old.pause(true)
    this.#share(name)
    fresh.run().catch((error: unknown) => this.#options.onError(name, error))
    void this.#retire(old)
  }

  async #retire(old: FleetWorker): Promise<void> {
    // So that a loop that only sleeps ends.
    old.wake()
    const until = performance.now() + LINGERS
    const isNeeded = () => old.held > 0 || (old.isRunning() && performance.now() < until)
    while (isNeeded() && !this.#stopped) {
      await sleep(LOOK_EVERY, undefined, { ref: false })
      this.#share(old.name)
    }
    if (this.#stopped) return
    this.#share(old.name)
    await old.leave(LEAVES.retired).catch((error: unknown) => this.#options.onError(old.name, error))
    this.#retired.delete(old)
    this.#terms.forget(old)
  }

  /** All slots but those in which workers that were replaced still run a job. */
  #share(queue: string): void {
    const worker = this.all.find(({ name }) => name === queue)
    if (worker === undefined) return
    const wanted = this.#wanted.get(queue) ?? worker.concurrency
    const share = Math.max(1, wanted - (this.heldOf(queue) - worker.held))
    if (share === worker.concurrency) return
    worker.concurrency = share
    worker.wake()
  }

  /** By queue. */
  get locks(): Record<string, LockTimes> {
    return Object.fromEntries(this.all.map(({ name, lockTimes }) => [name, lockTimes]))
  }

  /** What they measured is kept, and no lock is tuned any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#terms.stop()
    await Promise.allSettled([...this.all, ...this.#retired].map(worker => worker.leave(LEAVES.stop)))
    await this.#options.measurements.stop()
  }

  #open(queue: string, concurrency: number, times: LockTimes): FleetWorker {
    const { replica, config, client, prefix, telemetry, fence, replies, events, onError } = this.#options
    const worker = new FleetWorker(queue, this.#handlers, fence, replies, {
      name: replica,
      connection: client,
      prefix,
      ...(telemetry === undefined ? {} : { telemetry }),
      concurrency,
      autorun: false,
      runRetryDelay: RETRY,
      maxStalledCount: this.#endless.has(queue) ? ENDLESS : config.maxStalledCount,
      ...times,
    })
    worker.on('error', error => onError(queue, error))
    worker.on('stalled', id => events.emit('job.stalled', { queue, id }))
    this.#terms.follow(worker)
    return worker
  }

  /** They tell, too, what becomes of a job without a run of it. */
  get #handlers(): FleetWorkerEvents {
    const { events, handlers } = this.#options
    return {
      ...handlers,
      onReclaimed: job => events.emit('job.reclaimed', { ...refOf(job), fence: job.attemptsStarted }),
      onDeferred: job => {
        const { attemptsMade, deferredFailure } = job
        const attempt = attemptsMade + 1
        events.emit('job.failed', { ...refOf(job), attempt, ms: 0, error: deferredFailure, final: true })
        return handlers.onDeferred(job)
      },
    }
  }
}

const refOf = ({ queueName, name, id }: FleetJob) => ({ queue: queueName, job: name, id })

/** The BullMQ worker of each queue that a replica works, with the locks that suit the queue. */
import type { Config } from '../config.ts'
import type { Manifest } from '../job/manifest.ts'
import type { Events } from '../observe/events.ts'
import type { RedisHandle } from '../redis/connection.ts'
import type { Fence } from '../redis/fence.ts'
import { FleetWorker, type FleetWorkerEvents, type LockTimes } from './fleet-worker.ts'
import { LockTerms } from './lock-terms.ts'
import type { Measurements } from './measurements.ts'
import type { Replies } from './replies.ts'

const ENDLESS = 1_000_000

export interface QueueWorkersOptions {
  /** Kept with each job that it starts, as BullMQ's `processedBy`. */
  replica: string
  config: Config
  events: Events
  client: ReturnType<RedisHandle['connect']>
  prefix: string
  fence: Fence
  replies: Replies
  measurements: Measurements
  handlers: FleetWorkerEvents
  onError: (queue: string, error: unknown) => void
}

export class QueueWorkers {
  readonly all: FleetWorker[] = []
  readonly #options: QueueWorkersOptions
  readonly #terms: LockTerms
  /** A slice outlives any number of replicas: the ledger says what is wrong with it. */
  readonly #endless = new Set<string>()

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
    return Object.fromEntries(this.all.map(({ name, concurrency }) => [name, concurrency]))
  }

  /** For the jobs that are taken from now on; those above a smaller number go on. Undefined: it is not worked here. */
  setConcurrency(queue: string, concurrency: number): { before: number } | undefined {
    const worker = this.all.find(({ name }) => name === queue)
    if (worker === undefined) return undefined
    const before = worker.concurrency
    worker.concurrency = concurrency
    worker.wake()
    return { before }
  }

  /** By queue. */
  get locks(): Record<string, LockTimes> {
    return Object.fromEntries(this.all.map(({ name, lockTimes }) => [name, lockTimes]))
  }

  /** What they measured is kept, and no lock is tuned any more. */
  async stop(): Promise<void> {
    this.#terms.stop()
    await Promise.allSettled(this.all.map(worker => worker.leave()))
    await this.#options.measurements.stop()
  }

  #open(queue: string, concurrency: number, times: LockTimes): FleetWorker {
    const { replica, config, client, prefix, fence, replies, handlers, onError } = this.#options
    const worker = new FleetWorker(queue, handlers, fence, replies, {
      name: replica,
      connection: client,
      prefix,
      concurrency,
      autorun: false,
      maxStalledCount: this.#endless.has(queue) ? ENDLESS : config.maxStalledCount,
      ...times,
    })
    worker.on('error', error => onError(queue, error))
    this.#terms.follow(worker)
    return worker
  }
}

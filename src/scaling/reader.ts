/** Looks at a queue and those who work it, and says how many replicas it needs. It writes nothing. */
import type { Config } from '../config.ts'
import { RunnerError, messageOf } from '../errors.ts'
import { Histogram } from '../observe/histogram.ts'
import type { Client } from '../redis/client.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { Measured } from '../redis/measured.ts'
import { readQueueSignal } from '../redis/queue-signal.ts'
import { Replicas } from '../redis/replicas.ts'
import { estimate, type Estimate, type ScaleFacts } from './estimate.ts'
import { rulesOf } from './rules.ts'

/** How long a look may take, in milliseconds: less than an autoscaler waits for an answer (KEDA: 3 s). */
const LOOK_MS = 2_000
/** Of so few runs the mean says little: those of the whole week count. */
const ENOUGH_RUNS = 20
/** In days, today among them: a mean of the week would know of a new version of a handler only days later. */
const RECENT = 2
/** Looks that Redis has not answered yet. Many who ask for one queue wait for one of them. */
const MOST_PENDING = 100

export interface ScaleReaderOptions {
  redis: Pick<RedisHandle, 'connect' | 'prefix' | 'location'>
  config: Config
  /** Jobs of a queue at once in one replica, by the settings: taken while no replica is live. */
  concurrencyOf: (queue: string) => number
}

export class ScaleReader {
  readonly #options: ScaleReaderOptions
  readonly #client: Client
  readonly #replicas: Replicas
  readonly #measured: Measured
  readonly #pending = new Map<string, Promise<Estimate>>()
  #pinging: Promise<unknown> | undefined

  constructor(options: ScaleReaderOptions) {
    const { redis } = options
    this.#options = options
    this.#client = redis.connect('scale')
    this.#replicas = new Replicas(this.#client, redis.prefix)
    this.#measured = new Measured(this.#client, redis.prefix)
  }

  /** Throws QUEUE_UNKNOWN, and REDIS_UNREACHABLE within two seconds: what cannot be read is never told as nothing. */
  async read(queue: string): Promise<Estimate> {
    return this.#within(this.#look(queue))
  }

  /** Rejects as `read` does. All who ask wait for one answer. */
  async ping(): Promise<void> {
    this.#pinging ??= this.#client.ping().finally(() => (this.#pinging = undefined))
    await this.#within(this.#pinging)
  }

  /** A client waits for a server that is away for as long as it takes, and its commands with it: never more than these. */
  #look(queue: string): Promise<Estimate> {
    const pending = this.#pending.get(queue)
    if (pending !== undefined) return pending
    if (this.#pending.size >= MOST_PENDING)
      return Promise.reject(new Error('it answers none of those before'))
    const look = this.#estimate(queue).finally(() => this.#pending.delete(queue))
    this.#pending.set(queue, look)
    return look
  }

  async #estimate(queue: string): Promise<Estimate> {
    const { redis, config, concurrencyOf } = this.#options
    const rules = rulesOf(config, queue)
    const [signal, live, measured] = await Promise.all([
      readQueueSignal(this.#client, redis.prefix, queue, rules.scaleLead),
      this.#replicas.list(),
      this.#jobTime(queue),
    ])
    if (signal === undefined)
      throw new RunnerError('QUEUE_UNKNOWN', `there is no queue ${queue} under the prefix ${redis.prefix}`, {
        hint: 'it is there once a job was added, or a worker has opened it; runner queues list shows those that there are',
      })
    const slots = live.flatMap(({ quiet, queues }) => (quiet ? [] : (queues[queue] ?? [])))
    const facts: ScaleFacts = {
      signal,
      rules,
      replicas: slots.length,
      ...(slots.length > 0
        ? { concurrency: slots.reduce((sum, one) => sum + one) / slots.length, concurrencyFrom: 'replicas' }
        : {
            concurrency: config.scaling[queue]?.concurrency ?? concurrencyOf(queue),
            concurrencyFrom: 'setting',
          }),
      ...(measured === undefined
        ? { jobTime: rules.jobTime, jobTimeFrom: 'setting' }
        : { jobTime: measured, jobTimeFrom: 'measured' }),
    }
    return estimate(facts)
  }

  /** Mean, in milliseconds; undefined: no run has ended in the last week. */
  async #jobTime(queue: string): Promise<number | undefined> {
    for (const days of [RECENT, undefined]) {
      const runs = new Histogram()
      for (const { metric, bucket, count } of await this.#measured.read(queue, days))
        if (metric === 'run') runs.add(bucket, count)
      if (runs.count >= ENOUGH_RUNS || (days === undefined && runs.count > 0)) return runs.mean
    }
    return undefined
  }

  async #within<T>(answer: Promise<T>): Promise<T> {
    const { promise: timeUp, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error(`no answer within ${LOOK_MS} ms`)), LOOK_MS)
    try {
      return await Promise.race([answer, timeUp])
    } catch (error) {
      if (error instanceof RunnerError) throw error
      const { location } = this.#options.redis
      throw new RunnerError('REDIS_UNREACHABLE', `Redis at ${location} cannot be read: ${messageOf(error)}`, {
        cause: error,
      })
    } finally {
      clearTimeout(timer)
    }
  }
}

/** All that the API needs of Redis, from before Redis is reached: until then it says why it cannot be had. */
import { Queue } from 'bullmq'
import { RunnerError } from '../errors.ts'
import { Operator } from '../fleet/operator.ts'
import { Inspector } from '../inspector/inspector.ts'
import type { Client } from '../redis/client.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { IdempotencyKeys } from '../redis/idempotency.ts'
import { queueNames } from '../redis/queue-names.ts'
import { RecentNames } from '../redis/recent-names.ts'
import { Replicas } from '../redis/replicas.ts'
import { JobFeeds } from './job-feeds.ts'
import { within } from './patience.ts'

/** Milliseconds that a server which is there takes at most. */
const PING_MS = 2_000

export class Reach implements AsyncDisposable {
  #reached: Reached | undefined
  #why = new RunnerError('REDIS_UNREACHABLE', 'Redis has not answered yet')

  reach(redis: RedisHandle): void {
    this.#reached = new Reached(redis)
  }

  /** Until it is reached, this is why not. */
  unreachable(why: RunnerError): void {
    this.#why = why
  }

  /** It has just answered. Throws REDIS_UNREACHABLE within two seconds: nothing was asked of it then. */
  async now(): Promise<Reached> {
    if (this.#reached === undefined) throw this.#why
    await this.#reached.ping()
    return this.#reached
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reached?.[Symbol.asyncDispose]()
  }
}

export class Reached implements AsyncDisposable {
  readonly redis: RedisHandle
  readonly client: Client
  readonly inspector: Inspector
  readonly operator: Operator
  readonly replicas: Replicas
  readonly keys: IdempotencyKeys
  readonly feeds: JobFeeds
  /** Of the queues that there are, half a minute old at most. */
  readonly names: RecentNames
  readonly #queues = new Map<string, Queue>()
  #pinging: Promise<unknown> | undefined

  constructor(redis: RedisHandle) {
    this.redis = redis
    this.client = redis.connect('api')
    this.inspector = new Inspector(redis)
    this.operator = new Operator(redis)
    this.replicas = new Replicas(this.client, redis.prefix)
    this.keys = new IdempotencyKeys(this.client, redis.prefix)
    this.feeds = new JobFeeds(redis)
    this.names = new RecentNames(() => queueNames(this.client, redis.prefix))
  }

  /** All who ask wait for one answer. */
  async ping(): Promise<void> {
    this.#pinging ??= this.client.ping().finally(() => (this.#pinging = undefined))
    this.#pinging.catch(() => undefined)
    await within(PING_MS, this.#pinging, () => this.silent(PING_MS))
  }

  silent(ms: number): RunnerError {
    const { location } = this.redis
    return new RunnerError('REDIS_UNREACHABLE', `Redis at ${location} has not answered within ${ms} ms`)
  }

  /** To add jobs to; there is then such a queue. Only for names that were looked at: each is kept. */
  queue(name: string): Queue {
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = new Queue(name, { connection: this.client, prefix: this.redis.prefix })
      // Errors are those of the connection, which reconnects by itself.
      queue.on('error', () => undefined)
      this.#queues.set(name, queue)
    }
    return queue
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.feeds[Symbol.asyncDispose]()
    await this.operator[Symbol.asyncDispose]()
  }
}

/** How many replicas each queue needs and when its schedules are due, of all that there are: for whoever watches them. */
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { queueNames } from '../redis/queue-names.ts'
import { RecentNames } from '../redis/recent-names.ts'
import { scheduleTimes, type ScheduleTime } from '../redis/schedule-times.ts'
import type { Estimate } from './estimate.ts'
import type { ScaleReader } from './reader.ts'
import { queueNameOf } from '../queue-setting.ts'

/** Milliseconds. */
const NAMES_EVERY = 60_000

export interface AllQueuesOptions {
  redis: Pick<RedisHandle, 'connect' | 'prefix'>
  reader: Pick<ScaleReader, 'read' | 'ping'>
  config: Pick<Config, 'queues'>
  /** Of one queue that cannot be read while Redis answers. */
  onError: (queue: string, error: unknown) => void
}

export interface WatchedQueue {
  estimate: Estimate
  schedules: ScheduleTime[]
}

export class AllQueues {
  readonly #options: AllQueuesOptions
  readonly #client: ReturnType<RedisHandle['connect']>
  readonly #names: RecentNames

  constructor(options: AllQueuesOptions) {
    this.#options = options
    this.#client = options.redis.connect('queues')
    this.#names = new RecentNames(() => queueNames(this.#client, options.redis.prefix), NAMES_EVERY)
  }

  /**
   * By name. Those that the settings name, else all under the prefix, without those that cannot be read: a key of
   * another program takes nobody else's figures away. Rejects as the reader does when Redis is away, or when of all
   * queues none could be read.
   */
  async read(): Promise<WatchedQueue[]> {
    const { reader, onError } = this.#options
    // Its answer has a time limit; what follows is waited for.
    await reader.ping()
    const read: WatchedQueue[] = []
    let fault: unknown
    for (const name of await this.#list()) {
      try {
        read.push(await this.#one(name))
      } catch (error) {
        // Removed meanwhile, or named and not made yet.
        if (error instanceof RunnerError && error.code === 'QUEUE_UNKNOWN') continue
        // Rejects in an outage, in which nothing is known of any queue.
        await reader.ping()
        onError(name, error)
        fault ??= error
      }
    }
    if (read.length === 0 && fault !== undefined) throw fault
    return read
  }

  /** Both at once: the look of the reader has a time limit, and with it both. */
  async #one(name: string): Promise<WatchedQueue> {
    const { reader, redis } = this.#options
    const [estimate, schedules] = await Promise.all([
      reader.read(name),
      scheduleTimes(this.#client, redis.prefix, name),
    ])
    return { estimate, schedules }
  }

  #list(): Promise<readonly string[]> {
    const { queues } = this.#options.config
    return queues.length > 0 ? Promise.resolve(queues.map(queueNameOf).sort()) : this.#names.list()
  }
}

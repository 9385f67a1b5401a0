/** How many replicas each queue needs, of all that there are: for whoever watches them. */
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { queueNames } from '../redis/queue-names.ts'
import type { Estimate } from './estimate.ts'
import type { ScaleReader } from './reader.ts'

/** Milliseconds. To find the queues, all keys of the server are walked over: too much for each look. */
const NAMES_EVERY = 60_000

export interface AllQueuesOptions {
  redis: Pick<RedisHandle, 'connect' | 'prefix'>
  reader: Pick<ScaleReader, 'read' | 'ping'>
  config: Pick<Config, 'queues'>
}

export class AllQueues {
  readonly #options: AllQueuesOptions
  readonly #client: ReturnType<RedisHandle['connect']>
  #names: Promise<string[]> | undefined
  #namesAt = 0

  constructor(options: AllQueuesOptions) {
    this.#options = options
    this.#client = options.redis.connect('queues')
  }

  /** By name. Those that the settings name, else all under the prefix. Rejects as the reader does. */
  async read(): Promise<Estimate[]> {
    const { reader } = this.#options
    // Its answer has a time limit; what follows is waited for.
    await reader.ping()
    const estimates: Estimate[] = []
    for (const name of await this.#list()) {
      const one = await reader.read(name).catch((error: unknown) => {
        // Removed meanwhile, or named and not made yet.
        if (error instanceof RunnerError && error.code === 'QUEUE_UNKNOWN') return undefined
        throw error
      })
      if (one !== undefined) estimates.push(one)
    }
    return estimates
  }

  #list(): Promise<string[]> {
    const { config, redis } = this.#options
    if (config.queues.length > 0)
      return Promise.resolve(config.queues.map(text => text.replace(/:\d+$/, '')).sort())
    const now = performance.now()
    if (this.#names === undefined || now - this.#namesAt > NAMES_EVERY) {
      this.#namesAt = now
      const names = queueNames(this.#client, redis.prefix)
      names.catch(() => {
        if (this.#names === names) this.#names = undefined
      })
      this.#names = names
    }
    return this.#names
  }
}

/** All that `runner serve` reads, from before Redis is reached: until then it says why it cannot be read. */
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { AllQueues, type WatchedQueue } from './all-queues.ts'
import type { Estimate } from './estimate.ts'
import { ScaleReader, type ScaleReaderOptions } from './reader.ts'

export interface ScaleServiceOptions {
  config: Config
  concurrencyOf: ScaleReaderOptions['concurrencyOf']
  /** Of one queue that cannot be read while Redis answers. */
  onError: (queue: string, error: unknown) => void
}

export class ScaleService {
  readonly #options: ScaleServiceOptions
  #reached: { reader: ScaleReader; all: AllQueues } | undefined
  #why = new RunnerError('REDIS_UNREACHABLE', 'Redis has not answered yet')

  constructor(options: ScaleServiceOptions) {
    this.#options = options
  }

  /** From now on it reads there. */
  reach(redis: RedisHandle): void {
    const { config, concurrencyOf, onError } = this.#options
    const reader = new ScaleReader({ redis, config, concurrencyOf })
    this.#reached = { reader, all: new AllQueues({ redis, reader, config, onError }) }
  }

  /** Until it is reached, this is why not. */
  unreachable(why: RunnerError): void {
    this.#why = why
  }

  async read(queue: string): Promise<Estimate> {
    return this.#now().reader.read(queue)
  }

  async ping(): Promise<void> {
    await this.#now().reader.ping()
  }

  async readAll(): Promise<WatchedQueue[]> {
    return this.#now().all.read()
  }

  #now() {
    if (this.#reached === undefined) throw this.#why
    return this.#reached
  }
}

/**
 * What the replicas of a prefix have measured of each queue: a hash of counts per queue and day, which all of them add
 * to. Kept for a week after its day. A count whose answer was lost may be added twice: figures, not an account.
 */
import type { Cluster, Redis } from 'ioredis'

export const METRICS = ['run', 'block', 'delay', 'roundTrip'] as const
export type Metric = (typeof METRICS)[number]

/** Buckets are those of a histogram (observe/histogram.ts). */
export interface Count {
  metric: Metric
  bucket: number
  count: number
}

const DAY = 86_400_000
const DAYS = 7

export class Measured {
  readonly #client: Redis | Cluster
  readonly #key: string

  constructor(client: Redis | Cluster, prefix: string) {
    this.#client = client
    this.#key = `${prefix}:runner:measured`
  }

  async add(queue: string, counts: readonly Count[]): Promise<void> {
    const key = this.#dayOf(queue, 0)
    const pipeline = this.#client.pipeline().sadd(this.#key, queue)
    for (const { metric, bucket, count } of counts) pipeline.hincrby(key, `${metric}:${bucket}`, count)
    const answers = await pipeline.pexpire(key, (DAYS + 1) * DAY).exec()
    for (const [error] of answers ?? []) if (error !== null) throw error
  }

  /** Of today and the days before, seven in all unless fewer are asked for. */
  async read(queue: string, count = DAYS): Promise<Count[]> {
    const days = Array.from({ length: count }, (_, ago) => this.#client.hgetall(this.#dayOf(queue, ago)))
    return (await Promise.all(days)).flatMap(day =>
      Object.entries(day).map(([field, times]) => {
        const [metric, bucket] = field.split(':') as [Metric, string]
        return { metric, bucket: Number(bucket), count: Number(times) }
      }),
    )
  }

  /** All that were ever measured. */
  async queues(): Promise<string[]> {
    return (await this.#client.smembers(this.#key)).sort()
  }

  #dayOf(queue: string, ago: number): string {
    return `${this.#key}:${queue}:${new Date(Date.now() - ago * DAY).toISOString().slice(0, 10)}`
  }
}

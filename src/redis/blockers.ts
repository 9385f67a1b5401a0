/**
 * Which jobs were caught blocking an event loop: a hash of the prefix, by job name, shared by all replicas and kept
 * over restarts until somebody pardons the job.
 */
import type { Cluster, Redis } from 'ioredis'

export interface Blocker {
  /** Job name. */
  job: string
  /** Where it blocked: 'jobs/report.ts:12:5'. */
  where: string
  /** Longest block that was seen, in milliseconds. */
  ms: number
  /** In native code, which only the end of a whole process stops. */
  native: boolean
  /** When it was last seen, in ms since the epoch, by the replica's clock. */
  at: number
}

export class Blockers {
  readonly #client: Redis | Cluster
  readonly #key: string

  constructor(client: Redis | Cluster, prefix: string) {
    this.#client = client
    this.#key = `${prefix}:runner:blockers`
  }

  async remember({ job, ...rest }: Blocker): Promise<void> {
    await this.#client.hset(this.#key, job, JSON.stringify(rest))
  }

  /** By job name. */
  async list(): Promise<Map<string, Blocker>> {
    const all = await this.#client.hgetall(this.#key)
    return new Map(
      Object.entries(all).map(([job, json]) => [job, { job, ...(JSON.parse(json) as Omit<Blocker, 'job'>) }]),
    )
  }

  /** False when it was not there. */
  async pardon(job: string): Promise<boolean> {
    return (await this.#client.hdel(this.#key, job)) === 1
  }
}

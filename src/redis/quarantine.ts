/**
 * Jobs in quarantine: a hash of the prefix, by queue and job id, shared by all replicas and kept until the job is
 * released. To BullMQ such a job is a failed one that is kept; this is what is known beside that.
 */
import type { Cluster, Redis } from 'ioredis'

export interface Quarantined {
  queue: string
  id: string
  /** Job name. */
  job: string
  cause: 'out of memory' | 'blocked' | 'exit' | 'replica lost'
  /** What its last executor died of, or what BullMQ says of lost replicas. */
  reason: string
  /** Where the job was then, if anybody could tell. */
  stack?: string
  /** The most that the replica's own process, with its threads, had held by then, in bytes. */
  peakRss: number
  /** Executors that it took down; 0 when it was replicas. */
  crashes: number
  /** When, in ms since the epoch, by the replica's clock. */
  at: number
}

export class Quarantine {
  readonly #client: Redis | Cluster
  readonly #key: string

  constructor(client: Redis | Cluster, prefix: string) {
    this.#client = client
    this.#key = `${prefix}:runner:quarantine`
  }

  async put(entry: Quarantined): Promise<void> {
    await this.#client.hset(this.#key, fieldOf(entry), JSON.stringify(entry))
  }

  /** Oldest first. */
  async list(): Promise<Quarantined[]> {
    const all = await this.#client.hvals(this.#key)
    return all.map(json => JSON.parse(json) as Quarantined).sort((a, b) => a.at - b.at)
  }

  /** `queue:id` of each. */
  async ids(): Promise<ReadonlySet<string>> {
    return new Set(await this.#client.hkeys(this.#key))
  }

  async remove(entry: Pick<Quarantined, 'queue' | 'id'>): Promise<void> {
    await this.#client.hdel(this.#key, fieldOf(entry))
  }
}

/** No queue name contains ":". */
function fieldOf({ queue, id }: Pick<Quarantined, 'queue' | 'id'>): string {
  return `${queue}:${id}`
}

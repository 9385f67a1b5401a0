/**
 * The live replicas of a prefix: each publishes one JSON value that expires unless it is renewed, and an index of
 * ids by when they expire. Clocks of replicas are not compared: the server's time is used throughout.
 */
import type { Cluster, Redis } from 'ioredis'

/** How long a replica counts as live after its last beat, in milliseconds. */
const REPLICA_TTL = 15_000
/** How often a replica beats, in milliseconds. */
export const REPLICA_BEAT = 5_000

/** Settings that others need to judge it by. Times in milliseconds. */
interface ReplicaTerms {
  maxStalledCount: number
  grace: number
  blockLimit: number | false
  /** By queue. */
  locks: Record<string, { lockDuration: number; stalledInterval: number }>
}

export interface Replica {
  id: string
  host: string
  pid: number
  version: string
  /** Milliseconds since the epoch, by the replica's clock. */
  startedAt: number
  queues: Record<string, number>
  /** Names it has a handler for. */
  jobs: string[]
  running: number
  quiet: boolean
  terms: ReplicaTerms
}

export class Replicas {
  readonly #client: Redis | Cluster
  readonly #index: string

  constructor(client: Redis | Cluster, prefix: string) {
    this.#client = client
    this.#index = `${prefix}:runner:replicas`
  }

  async publish(replica: Replica): Promise<void> {
    const until = (await this.#now()) + REPLICA_TTL
    await this.#client.set(this.#key(replica.id), JSON.stringify(replica), 'PX', REPLICA_TTL)
    await this.#client.zadd(this.#index, until, replica.id)
  }

  async remove(id: string): Promise<void> {
    await this.#client.del(this.#key(id))
    await this.#client.zrem(this.#index, id)
  }

  async list(): Promise<Replica[]> {
    await this.#client.zremrangebyscore(this.#index, '-inf', `(${await this.#now()}`)
    const ids = await this.#client.zrange(this.#index, '0', '-1')
    const values = await Promise.all(ids.map(id => this.#client.get(this.#key(id))))
    return values.flatMap(value => (value === null ? [] : [JSON.parse(value) as Replica]))
  }

  async #now(): Promise<number> {
    const [seconds, micros] = await this.#client.time()
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
  }

  #key(id: string): string {
    return `${this.#index}:${id}`
  }
}

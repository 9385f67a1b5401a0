/**
 * The live replicas of a prefix: each publishes one JSON value that expires unless it is renewed, and an index of
 * ids by when they expire. Nothing here depends on the clocks of replicas: the server's time is used throughout, and
 * how far theirs are from it is published with the rest.
 */
import type { Cluster, Redis } from 'ioredis'
import { readClock, serverTime } from './clock.ts'

/** How long a replica counts as live after its last beat, in milliseconds. */
const REPLICA_TTL = 15_000
/** How often a replica beats, in milliseconds. */
export const REPLICA_BEAT = 5_000

/** Settings that others need to judge it by. Times in milliseconds. */
interface ReplicaTerms {
  maxStalledCount: number
  grace: number
  blockLimit: number | false
  /** That a cancelled handler may go on. */
  abortGrace: number
  /** By queue. */
  locks: Record<string, { lockDuration: number; stalledInterval: number }>
}

/** A handler, by what tells two versions of it apart: the beginnings of SHA-256 sums. */
export interface HandlerVersion {
  /** Of the JSON Schema of its payload. */
  schema: string
  /** Of the text of its file; what the file imports is not in it. */
  file: string
}

/** Somebody holds the event loop of an executor. */
export interface BlockedRun {
  executor: number
  /** Milliseconds so far. */
  ms: number
  /** 'at jobs/report.ts:12:5'. */
  where: string
  /** Undefined where it cannot be told. */
  queue?: string
  job?: string
  id?: string
  stack?: string
}

export interface Replica {
  id: string
  host: string
  pid: number
  version: string
  /** Milliseconds since the epoch, by the replica's clock. */
  startedAt: number
  /** Concurrency by queue. */
  queues: Record<string, number>
  /** Names it has a handler for. */
  jobs: string[]
  handlers: Record<string, HandlerVersion>
  executors: number
  isolation: 'thread' | 'process'
  running: number
  /** Runs that ended a second, by queue, over the last minute. */
  rates: Record<string, number>
  /** Bytes, of the replica with its executors. */
  rss: number
  /** Without stacks. */
  blocked: BlockedRun[]
  quiet: boolean
  terms: ReplicaTerms
  /**
   * How much its clock is ahead of the server's, in milliseconds; negative: behind. It is off by at least so much, as of
   * its last beat. Absent: its version does not measure it.
   */
  skew?: number
}

export class Replicas {
  readonly #client: Redis | Cluster
  readonly #index: string

  constructor(client: Redis | Cluster, prefix: string) {
    this.#client = client
    this.#index = `${prefix}:runner:replicas`
  }

  async publish(replica: Omit<Replica, 'skew'>): Promise<void> {
    const { now, skew } = await readClock(this.#client)
    await this.#client.set(this.#key(replica.id), JSON.stringify({ ...replica, skew }), 'PX', REPLICA_TTL)
    await this.#client.zadd(this.#index, now + REPLICA_TTL, replica.id)
    await this.#client.zremrangebyscore(this.#index, '-inf', `(${now}`)
  }

  async remove(id: string): Promise<void> {
    await this.#client.del(this.#key(id))
    await this.#client.zrem(this.#index, id)
  }

  /** Writes nothing. */
  async list(): Promise<Replica[]> {
    const ids = await this.#client.zrangebyscore(this.#index, await serverTime(this.#client), '+inf')
    const values = await Promise.all(ids.map(id => this.#client.get(this.#key(id))))
    return values.flatMap(value => (value === null ? [] : [read(value)]))
  }

  #key(id: string): string {
    return `${this.#index}:${id}`
  }
}

/** Replicas of an older version, as during a deployment, lack what came later. */
function read(json: string): Replica {
  const entry = JSON.parse(json) as Replica
  return { ...LATER, ...entry, terms: { ...LATER_TERMS, ...entry.terms } }
}

const LATER = { handlers: {}, executors: 0, isolation: 'thread', rates: {}, rss: 0, blocked: [] } as const
const LATER_TERMS = { abortGrace: 1_000 }

/** This replica's entry among the live ones, kept fresh. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { RedisHandle } from '../redis/connection.ts'
import { Replicas, REPLICA_BEAT } from '../redis/replicas.ts'
import { VERSION } from '../version.ts'
import type { ReplicaState } from './replica-state.ts'

export class Registration {
  readonly id = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`
  readonly #replicas: Replicas
  readonly #state: () => Promise<ReplicaState>
  readonly #startedAt = Date.now()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(redis: RedisHandle, state: () => Promise<ReplicaState>) {
    this.#replicas = new Replicas(redis.connect('registration'), redis.prefix)
    this.#state = state
  }

  async start(): Promise<void> {
    await this.beat()
    // A beat that fails is a Redis that does not answer: the workers report that, and the next beat mends it.
    this.#timer = setInterval(() => void this.beat().catch(() => undefined), REPLICA_BEAT)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#replicas.remove(this.id)
  }

  /** Whether another live, working replica takes this queue and has a handler of this name. */
  async elsewhere(queue: string, job: string): Promise<boolean> {
    const live = await this.#replicas.list()
    return live.some(
      other => other.id !== this.id && !other.quiet && queue in other.queues && other.jobs.includes(job),
    )
  }

  /** Also at once, when what it says has changed. */
  async beat(): Promise<void> {
    const state = await this.#state()
    if (this.#stopped) return
    await this.#replicas.publish({
      id: this.id,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      startedAt: this.#startedAt,
      ...state,
    })
  }
}

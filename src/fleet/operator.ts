/**
 * An operator's end of the line to the replicas (control.ts is theirs): who is there, and a command for some of them
 * with the answers that came within its time.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisHandle } from '../redis/connection.ts'
import { openRelay, type Relay } from '../redis/relay.ts'
import { Replicas, type Replica } from '../redis/replicas.ts'
import { serverTime } from '../redis/clock.ts'
import { answerTopic, COMMANDS, type Answer, type Command, type Verb, type Verbs } from './command.ts'

/** Milliseconds after which those that have not answered are told again: after a restart of Redis they were not there. */
const AGAIN = 500

/** What one replica said to a command. Neither `value` nor `error`: it did not answer in time. */
export interface Reply<V extends Verb> {
  replica: Replica
  value?: Verbs[V]['gives']
  error?: string
}

export class Operator implements AsyncDisposable {
  readonly #redis: RedisHandle
  readonly #client: ReturnType<RedisHandle['connect']>
  readonly #id = `operator-${randomUUID()}`
  readonly #waiting = new Map<string, (answer: Answer) => void>()
  #relay: Promise<Relay> | undefined

  constructor(redis: RedisHandle) {
    this.#redis = redis
    this.#client = redis.connect('operator')
  }

  /** Live ones, those that started first come first. */
  async replicas(): Promise<Replica[]> {
    const all = await new Replicas(this.#client, this.#redis.prefix).list()
    return all.sort((a, b) => a.startedAt - b.startedAt)
  }

  /**
   * Tells these replicas to do something. Resolves when all have answered, or enough by what `isEnough` is given, or
   * after `ms`; none begins it later than that. In the order of `replicas`.
   */
  async tell<V extends Verb>(
    replicas: readonly Replica[],
    verb: V,
    args: Verbs[V]['takes'],
    ms: number,
    isEnough: (values: readonly Verbs[V]['gives'][]) => boolean = () => false,
  ): Promise<Reply<V>[]> {
    const id = randomUUID()
    const answers = new Map<string, Answer>()
    const all = Promise.withResolvers<void>()
    const over = new AbortController()
    if (replicas.length === 0) return []
    const relay = await (this.#relay ??= this.#open())
    this.#waiting.set(id, answer => {
      answers.set(answer.replica, answer)
      const values = [...answers.values()].flatMap(({ value }) => (value === undefined ? [] : [value]))
      if (answers.size < replicas.length && !isEnough(values as Verbs[V]['gives'][])) return
      over.abort()
      all.resolve()
    })
    const until = (await serverTime(this.#client)) + ms
    const missing = () => replicas.map(replica => replica.id).filter(one => !answers.has(one))
    const command = () => ({ id, asker: this.#id, to: missing(), until, verb, args }) satisfies Command<V>
    try {
      const end = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined)
      await Promise.race([end, Promise.all([all.promise, this.#repeat(relay, command, over.signal)])])
    } finally {
      over.abort()
      this.#waiting.delete(id)
    }
    return replicas.map(replica => {
      const { value, error } = answers.get(replica.id) ?? {}
      return {
        replica,
        ...(value === undefined ? {} : { value: value as Verbs[V]['gives'] }),
        ...(error === undefined ? {} : { error }),
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#relay?.catch(() => undefined))?.close().catch(() => undefined)
  }

  async #open(): Promise<Relay> {
    const relay = openRelay(this.#client, this.#redis.prefix, this.#id)
    await relay.subscribe<Answer>(answerTopic(this.#id), ({ data }) => this.#waiting.get(data.id)?.(data))
    return relay
  }

  async #repeat(relay: Relay, command: () => Command, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await relay.publish(COMMANDS, command())
      await sleep(AGAIN, undefined, { signal }).catch(() => undefined)
    }
  }
}

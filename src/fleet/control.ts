/**
 * This replica's ear: does what operators tell it (`runner fleet`, `runner jobs cancel`) and answers. A command that
 * cannot be done is answered with the reason; one that came too late is not done and not answered.
 */
import { messageOf } from '../errors.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { openRelay, type Relay } from '../redis/relay.ts'
import { serverTime } from '../redis/clock.ts'
import { Cancelling } from './cancelling.ts'
import { answerTopic, COMMANDS, type Answer, type Command, type Verb, type Verbs } from './command.ts'
import { dumpOf } from './replica-state.ts'
import type { Stopping } from './stopping.ts'
import type { Supervisor } from './supervisor.ts'

/** Commands whose answers are remembered. */
const REMEMBERED = 1_000

type Handlers = { [V in Verb]: (args: Verbs[V]['takes']) => Promise<Verbs[V]['gives']> | Verbs[V]['gives'] }

export interface ControlOptions {
  supervisor: Supervisor
  stopping: Stopping
  redis: RedisHandle
  /** Milliseconds that a cancelled handler may go on. */
  abortGrace: number
  /** It cannot hear, and why: once for each reason. */
  onError: (error: Error) => void
}

export class Control {
  readonly #options: ControlOptions
  readonly #client: ReturnType<RedisHandle['connect']>
  readonly #cancelling: Cancelling
  readonly #handlers: Handlers
  readonly #relay: Relay
  readonly #begun = new Map<string, Promise<Answer>>()
  readonly #told = new Set<string>()

  /** Begins to listen; whatever happens to Redis, it does again once Redis is back. */
  constructor(options: ControlOptions) {
    this.#options = options
    const { supervisor, redis, abortGrace } = options
    this.#client = redis.connect('control')
    this.#cancelling = new Cancelling(supervisor.runs, supervisor.pool, abortGrace)
    this.#handlers = this.#makeHandlers()
    this.#relay = openRelay(this.#client, redis.prefix, supervisor.registration.id, error =>
      this.#tell(error),
    )
    // Closed before it was there: then nobody is told anything any more.
    this.#relay
      .subscribe<Command>(COMMANDS, ({ data }) => void this.#onCommand(data).catch(() => undefined))
      .catch(() => undefined)
  }

  async close(): Promise<void> {
    await this.#relay.close().catch(() => undefined)
  }

  #makeHandlers(): Handlers {
    const { supervisor, stopping } = this.#options
    const { registration, workers, runs } = supervisor
    return {
      quiet: async () => {
        await stopping.quiet()
        await registration.beat()
        return { running: runs.size }
      },
      resume: async () => {
        await stopping.resume()
        await registration.beat()
        return { quiet: supervisor.quiet || supervisor.exhausted || stopping.started }
      },
      concurrency: async ({ queue, concurrency }) => {
        const changed = workers.setConcurrency(queue, concurrency)
        if (changed === undefined) throw new Error(`it does not work queue ${queue}`)
        await registration.beat()
        return changed
      },
      dump: () => dumpOf(supervisor),
      cancel: ({ jobs, reason }) => Promise.all(jobs.map(job => this.#cancelling.cancel(job, reason))),
    }
  }

  /** Given again until it is answered: the second time, the answer of the first is, for that may have been lost. */
  async #onCommand(command: Command): Promise<void> {
    const { id, asker, to, until } = command
    if (!to.includes(this.#options.supervisor.registration.id)) return
    if (!this.#begun.has(id) && (await serverTime(this.#client)) > until) return
    const answer = await (this.#begun.get(id) ?? this.#begin(command))
    const topic = answerTopic(asker)
    try {
      await this.#relay.publish(topic, answer)
    } catch (error) {
      // Too large, say. Of an outage this one fails too, and the command comes again.
      const { replica } = answer
      await this.#relay.publish(topic, { id, replica, error: messageOf(error) } satisfies Answer)
    }
  }

  #tell(error: Error): void {
    if (this.#told.has(error.message)) return
    this.#told.add(error.message)
    this.#options.onError(error)
  }

  #begin({ id, verb, args }: Command): Promise<Answer> {
    const answer = this.#do(verb, args).then(
      value => ({ id, replica: this.#options.supervisor.registration.id, value }),
      (error: unknown) => ({
        id,
        replica: this.#options.supervisor.registration.id,
        error: messageOf(error),
      }),
    )
    this.#begun.set(id, answer)
    const [oldest] = this.#begun.keys()
    if (this.#begun.size > REMEMBERED && oldest !== undefined) this.#begun.delete(oldest)
    return answer
  }

  async #do(verb: string, args: unknown): Promise<unknown> {
    const handler = (this.#handlers as Record<string, ((args: never) => unknown) | undefined>)[verb]
    if (handler === undefined) throw new Error(`this replica is of a version that does not know ${verb}`)
    return handler(args as never)
  }
}

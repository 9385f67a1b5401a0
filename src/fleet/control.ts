/**
 * This replica's ear: does what operators tell it (`runner fleet`, `runner jobs cancel`) and answers. A command that
 * cannot be done is answered with the reason; one that came too late is not done and not answered.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { messageOf } from '../errors.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { openRelay, type Relay } from '../redis/relay.ts'
import { serverTime } from '../redis/clock.ts'
import { Cancelling } from './cancelling.ts'
import { answerTopic, COMMANDS, type Answer, type Command, type Verb, type Verbs } from './command.ts'
import { dumpOf } from './replica-state.ts'
import type { Stopping } from './stopping.ts'
import type { Supervisor } from './supervisor.ts'

/** Milliseconds: what the event loop is looked at by. */
const RESOLUTION = 50
const NANOSECONDS = 1e6
/** Commands that are remembered, since each is given again until it is answered. */
const REMEMBERED = 1_000

type Handlers = { [V in Verb]: (args: Verbs[V]['takes']) => Promise<Verbs[V]['gives']> | Verbs[V]['gives'] }

export interface ControlOptions {
  supervisor: Supervisor
  stopping: Stopping
  redis: RedisHandle
  /** Milliseconds that a cancelled handler may go on. */
  abortGrace: number
}

export class Control {
  readonly #options: ControlOptions
  readonly #client: ReturnType<RedisHandle['connect']>
  readonly #loop = monitorEventLoopDelay({ resolution: RESOLUTION })
  readonly #cancelling: Cancelling
  readonly #handlers: Handlers
  readonly #relay: Relay
  readonly #begun = new Set<string>()

  /** Begins to listen; whatever happens to Redis, it does again once Redis is back. */
  constructor(options: ControlOptions) {
    this.#options = options
    const { supervisor, redis, abortGrace } = options
    this.#client = redis.connect('control')
    this.#cancelling = new Cancelling(supervisor.runs, supervisor.pool, abortGrace)
    this.#handlers = this.#makeHandlers()
    this.#loop.enable()
    this.#relay = openRelay(redis, supervisor.registration.id)
    // Closed before it was there: then nobody is told anything any more.
    this.#relay
      .subscribe<Command>(COMMANDS, ({ data }) => void this.#onCommand(data).catch(() => undefined))
      .catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#loop.disable()
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
        return { quiet: supervisor.quiet }
      },
      concurrency: async ({ queue, concurrency }) => {
        const changed = workers.setConcurrency(queue, concurrency)
        if (changed === undefined) throw new Error(`it does not work queue ${queue}`)
        await registration.beat()
        return changed
      },
      dump: () => dumpOf(supervisor, { p50: late(this.#loop.percentile(50)), max: late(this.#loop.max) }),
      cancel: ({ jobs, reason }) => Promise.all(jobs.map(job => this.#cancelling.cancel(job, reason))),
    }
  }

  async #onCommand(command: Command): Promise<void> {
    const { id, asker, to, until, verb, args } = command
    const replica = this.#options.supervisor.registration.id
    if (!to.includes(replica) || this.#begun.has(id)) return
    this.#remember(id)
    if ((await serverTime(this.#client)) > until) return
    const answer: Answer = { id, replica }
    try {
      const handler = this.#handlers[verb] as ((args: unknown) => unknown) | undefined
      if (handler === undefined) throw new Error(`this replica is of a version that does not know ${verb}`)
      answer.value = await handler(args)
    } catch (error) {
      answer.error = messageOf(error)
    }
    await this.#relay.publish(answerTopic(asker), answer)
  }

  #remember(id: string): void {
    this.#begun.add(id)
    const [oldest] = this.#begun
    if (this.#begun.size > REMEMBERED && oldest !== undefined) this.#begun.delete(oldest)
  }
}

/** Beyond what it waits for anyhow. */
function late(nanoseconds: number): number {
  return Math.max(0, Math.round(nanoseconds / NANOSECONDS - RESOLUTION))
}

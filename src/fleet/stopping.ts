/**
 * How a replica stops. Every step has a deadline of its own, so the whole has one, also when Redis is down and when a
 * handler does not let go:
 *
 *   quiet -> grace -> abort signals -> abort grace -> executors ended -> jobs handed back -> connections closed
 *
 * Handlers are gone before their jobs are handed back: the next worker can have one of them milliseconds later.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import type { Events } from '../observe/events.ts'
import { Deadline } from './deadline.ts'
import type { Supervisor } from './supervisor.ts'

/** Milliseconds for executors to go and their jobs to be handed back, and for connections to close. A dead Redis costs this much. */
const HAND_BACK = 1_500
const CLOSE = 1_000

export interface StopOptions {
  reason: string
  /** Milliseconds that running jobs may go on; Infinity waits for them. */
  grace: number
  /** Of the process, if nothing had to be handed back. Default `EXIT.ok`: it was told to stop. */
  code?: ExitCode
}

export class Stopping {
  readonly #supervisor: Supervisor
  readonly #config: Config
  readonly #events: Events
  readonly #hurry = new AbortController()
  readonly #done = Promise.withResolvers<{ handedBack: number }>()
  #started = false
  #code: ExitCode = EXIT.ok

  constructor(supervisor: Supervisor, config: Config, events: Events) {
    this.#supervisor = supervisor
    this.#config = config
    this.#events = events
  }

  /** Why it stops, as an exit code. */
  get code(): ExitCode {
    return this.#code
  }

  get started(): boolean {
    return this.#started
  }

  /** Takes no more jobs. Running ones go on. */
  async quiet(): Promise<void> {
    this.#supervisor.quiet = true
    this.#events.emit('fleet.quiet', { running: this.#supervisor.runs.size })
    await this.#supervisor.workers.pause()
  }

  async resume(): Promise<void> {
    // A replica that has had its --max-jobs would fetch the next ones only to put them back.
    if (this.started || !this.#supervisor.quiet || this.#supervisor.exhausted) return
    this.#supervisor.quiet = false
    this.#events.emit('fleet.resumed')
    await this.#supervisor.workers.resume()
  }

  /** Ends all waiting at once: executors end now, jobs are handed back. */
  hurry(): void {
    this.#hurry.abort()
  }

  /** Resolves once somebody called `stop` and it is over. */
  whenStopped(): Promise<{ handedBack: number }> {
    return this.#done.promise
  }

  /** Idempotent: a second call gets the first one's promise. */
  stop(options: StopOptions): Promise<{ handedBack: number }> {
    if (!this.#started) {
      this.#started = true
      this.#code = options.code ?? EXIT.ok
      this.#stop(options).then(this.#done.resolve, this.#done.reject)
    }
    return this.#done.promise
  }

  async #stop({ reason, grace }: StopOptions): Promise<{ handedBack: number }> {
    const { runs, pool, outcomes, workers, registration, producer, blocking, loop } = this.#supervisor
    const deadline = Number.isFinite(grace) ? { grace } : {}
    this.#events.emit('fleet.stopping', { reason, running: runs.size, ...deadline })
    const before = this.#supervisor.handedBack
    await within(this.quiet(), CLOSE)
    await this.#untilIdle(grace)
    for (const run of runs)
      if (run.cancelReason === undefined) pool.holderOf(run)?.abort(run, 'shutdown', `shutdown: ${reason}`)
    await this.#untilIdle(this.#config.abortGrace)
    const left = runs.size
    // Together: a thread inside native code does not end in time, and there is nothing more to wait for then.
    await within(
      pool.close(reason).then(() => this.#untilIdle(HAND_BACK, false)),
      HAND_BACK,
    )
    blocking.stop()
    loop.close()
    await within(workers.stop(), CLOSE)
    await within(Promise.allSettled([registration.stop(), producer.close()]), CLOSE)
    // What could not be handed back (Redis is down) is found by the stall sweep of another replica.
    const handedBack = Math.max(this.#supervisor.handedBack - before, left)
    this.#events.emit('fleet.stopped', {
      reason,
      completed: outcomes.completed,
      failed: outcomes.failed,
      superseded: this.#supervisor.superseding.count,
      handedBack,
    })
    return { handedBack }
  }

  /** Until no run is left, `ms` went by, or somebody is in a hurry. */
  async #untilIdle(ms: number, hurries = true): Promise<void> {
    if (this.#supervisor.runs.size === 0) return
    const signals = hurries ? [this.#hurry.signal] : []
    const idle = Promise.withResolvers<void>()
    const onEnded = (left: number) => left === 0 && idle.resolve()
    this.#events.on('run.ended', onEnded)
    const deadline = Number.isFinite(ms) ? new Deadline(ms, idle.resolve) : undefined
    try {
      await Promise.race([idle.promise, ...signals.map(aborted)])
    } finally {
      deadline?.clear()
      this.#events.off('run.ended', onEnded)
    }
  }
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const over = new AbortController()
  await Promise.race([work, wait(ms, undefined, { signal: over.signal })]).catch(() => undefined)
  over.abort()
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

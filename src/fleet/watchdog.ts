/**
 * Looks after the event loops of the executors. One that does not turn is reported while it is stuck, with the job and
 * the line; one that is stuck too long is handed to `onLimit`, which ends it.
 *
 *   turning --no beat for `warn`--> blocked --stack taken--> reported --limit--> ended
 *      ^------------- beat ------------'------------------------'
 *
 * Costs nothing but a look at a counter per executor and beat, until something blocks. No guarantee: a host that gives
 * an executor no CPU for that long looks the same, with a stack in which nothing is wrong.
 */
import { BEAT } from './beat.ts'
import { Block } from './block.ts'
import type { Executor } from './executor.ts'

/** Executors that have not beaten for so long get no new run, in milliseconds. */
const LATE = 3 * BEAT
/** A stack that takes longer is held up by native code: so much is said without it. Milliseconds. */
const STACK_WITHIN = 500
/** After so long a plain worker, with the lock duration that BullMQ has by default, would have lost its job. */
const PLAIN_WORKER_LOSES = 30_000

export interface WatchdogOptions {
  executors: () => Iterable<Executor>
  /** Milliseconds without a beat until it is reported. */
  warn: number
  /** Milliseconds until it is ended; false: never. */
  limitOf(block: Block): number | false
  /** Called again when more is known, and when a plain worker would have lost its job. */
  onBlocked(block: Block, ms: number, plainWorkerLost: boolean): void
  /** The loop turns again after so many milliseconds. */
  onOver(block: Block, ms: number): void
  onLimit(block: Block, limit: number): void
  /** A loop has turned, after so many milliseconds. */
  onTurn(ms: number): void
  /** An executor that was late takes runs again. */
  onRecovered(): void
}

interface Pulse {
  beats: number
  /** When `beats` last changed, by performance.now(). */
  at: number
}

export class Watchdog {
  readonly #options: WatchdogOptions
  readonly #pulses = new WeakMap<Executor, Pulse>()
  #blocks = new Map<Executor, Block>()
  #lastTick = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: WatchdogOptions) {
    this.#options = options
  }

  start(): void {
    this.#lastTick = performance.now()
    this.#timer = setInterval(() => this.#tick(performance.now()), BEAT)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Those that last. */
  get blocks(): Block[] {
    return [...this.#blocks.values()]
  }

  #tick(now: number): void {
    // Frozen as a whole (SIGSTOP, a suspended host): nobody could beat, and that is no handler's doing.
    const frozen = now - this.#lastTick > LATE
    this.#lastTick = now
    const open = new Map<Executor, Block>()
    for (const executor of this.#options.executors()) {
      if (executor.state !== 'ready') continue
      const silent = this.#silence(executor, now, frozen)
      const wasLate = executor.late
      executor.late = silent > LATE
      if (wasLate && !executor.late) this.#options.onRecovered()
      const block = this.#blocks.get(executor)
      if (silent >= this.#options.warn)
        open.set(executor, this.#goOn(block ?? this.#open(executor, now - silent), now))
      else if (block !== undefined) this.#options.onOver(block, now - silent - block.since)
    }
    this.#blocks = open
  }

  /** Milliseconds since its last beat. */
  #silence(executor: Executor, now: number, frozen: boolean): number {
    const { beats } = executor
    const pulse = this.#pulses.get(executor)
    if (pulse !== undefined && pulse.beats === beats && !frozen) return now - pulse.at
    if (pulse !== undefined && !frozen) this.#options.onTurn(now - pulse.at)
    this.#pulses.set(executor, { beats, at: now })
    return 0
  }

  #open(executor: Executor, since: number): Block {
    const block = new Block(executor, since)
    const late = setTimeout(() => {
      if (this.#blocks.get(executor) !== block || executor.state !== 'ready') return
      block.native = true
      this.#report(block)
    }, STACK_WITHIN)
    executor.sight().then(
      sighting => {
        clearTimeout(late)
        block.saw(sighting)
        // Of a native call the stack comes when it returns, and then the block is over.
        if (block.native || this.#blocks.get(executor) === block) this.#report(block)
      },
      // It ended before; one that lives on all the same is known as far as it can be, in a moment.
      () => undefined,
    )
    return block
  }

  #goOn(block: Block, now: number): Block {
    const ms = now - block.since
    if (ms >= PLAIN_WORKER_LOSES && !block.plainWorkerLost && block.reported) {
      block.plainWorkerLost = true
      this.#report(block)
    }
    const limit = this.#options.limitOf(block)
    // A limit that is near `warn` waits for the stack: the executor takes it along when it ends.
    if (limit !== false && ms >= limit && block.isKnown && !block.ending) {
      block.ending = true
      this.#options.onLimit(block, limit)
    }
    return block
  }

  #report(block: Block): void {
    block.reported = true
    this.#options.onBlocked(block, performance.now() - block.since, block.plainWorkerLost)
  }
}

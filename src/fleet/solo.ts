/**
 * Executors that hold one run at a time, for jobs that may end or block their executor: at most as many as there are
 * shared ones. One that is idle goes after a while, or at once when its place is needed.
 */
import type { Executor } from './executor.ts'
import type { Placement, Run } from './run.ts'

/** Milliseconds that an idle one is kept: to start one costs more than most jobs. */
const LINGER = 10_000

export interface SoloOptions {
  most: number
  spawn: (placement: Placement) => Executor
  start: (executor: Executor, run: Run) => void
  retire: (executor: Executor) => void
}

export class SoloExecutors {
  readonly #options: SoloOptions
  readonly #executors = new Map<Executor, Placement>()
  readonly #idle = new Map<Executor, NodeJS.Timeout>()
  #waiting: Run[] = []
  #closing = false

  constructor(options: SoloOptions) {
    this.#options = options
  }

  get executors(): Iterable<Executor> {
    return this.#executors.keys()
  }

  has(executor: Executor): boolean {
    return this.#executors.has(executor)
  }

  dispatch(run: Run): void {
    this.#waiting.push(run)
    this.assign()
  }

  /** Gives what waits to the executors that are free, and starts further ones for the rest. */
  assign(): void {
    // A run that lost its lock while it waited: another replica may run it by now.
    this.#waiting = this.#waiting.filter(run => !run.settled && !this.#startNow(run))
    if (this.#closing) return
    for (const placement of new Set(this.#waiting.map(run => run.placement))) this.#grow(placement)
  }

  #startNow(run: Run): boolean {
    for (const [executor, placement] of this.#executors) {
      if (placement !== run.placement || !isFree(executor)) continue
      clearTimeout(this.#idle.get(executor))
      this.#idle.delete(executor)
      this.#options.start(executor, run)
      return true
    }
    return false
  }

  #grow(placement: Placement): void {
    let missing = this.#waiting.filter(run => run.placement === placement).length
    for (const [executor, kind] of this.#executors) {
      if (kind === placement && executor.state === 'booting') missing--
    }
    for (; missing > 0; missing--) {
      if (this.#executors.size >= this.#options.most) {
        // One of the other kind, or none: a free one of this kind would have been taken.
        const [idle] = this.#idle.keys()
        if (idle !== undefined) this.#drop(idle)
        return
      }
      this.#executors.set(this.#options.spawn(placement), placement)
    }
  }

  onIdle(executor: Executor): void {
    this.assign()
    if (!isFree(executor)) return
    const timer = setTimeout(() => this.#drop(executor), LINGER).unref()
    clearTimeout(this.#idle.get(executor))
    this.#idle.set(executor, timer)
  }

  #drop(executor: Executor): void {
    clearTimeout(this.#idle.get(executor))
    this.#idle.delete(executor)
    this.#options.retire(executor)
  }

  onExit(executor: Executor): void {
    clearTimeout(this.#idle.get(executor))
    this.#idle.delete(executor)
    this.#executors.delete(executor)
  }

  /** Starts no further executor; returns the runs that none has begun. */
  close(): Run[] {
    this.#closing = true
    return this.#waiting.splice(0)
  }
}

function isFree({ state, retired, runs }: Executor): boolean {
  return state === 'ready' && !retired && runs.size === 0
}

/**
 * Executors that hold one run at a time, for jobs that may end or block their executor: at most as many as there are
 * shared ones. One that is not needed goes at once.
 */
import type { Executor } from './executor.ts'
import type { Run } from './run.ts'

export class SoloExecutors {
  readonly #executors = new Set<Executor>()
  readonly #most: number
  readonly #spawn: () => Executor
  readonly #start: (executor: Executor, run: Run) => void
  readonly #retire: (executor: Executor) => void
  #waiting: Run[] = []
  #closing = false

  constructor(options: {
    most: number
    spawn: () => Executor
    start: (executor: Executor, run: Run) => void
    retire: (executor: Executor) => void
  }) {
    this.#most = options.most
    this.#spawn = options.spawn
    this.#start = options.start
    this.#retire = options.retire
  }

  get executors(): Iterable<Executor> {
    return this.#executors
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
    this.#waiting = this.#waiting.filter(run => !run.settled)
    for (const executor of this.#executors) {
      if (this.#waiting.length === 0) return
      const free = executor.state === 'ready' && !executor.retired && executor.runs.size === 0
      if (free) this.#start(executor, this.#waiting.shift() as Run)
    }
    if (this.#closing) return
    const booting = [...this.#executors].filter(executor => executor.state === 'booting').length
    const missing = Math.min(this.#waiting.length - booting, this.#most - this.#executors.size)
    for (let i = 0; i < missing; i++) this.#executors.add(this.#spawn())
  }

  onIdle(executor: Executor): void {
    this.assign()
    if (executor.runs.size === 0) this.#retire(executor)
  }

  onExit(executor: Executor): void {
    this.#executors.delete(executor)
  }

  /** Starts no further executor; returns the runs that none has begun. */
  close(): Run[] {
    this.#closing = true
    return this.#waiting.splice(0)
  }
}

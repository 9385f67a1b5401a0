/**
 * How long a round waits for jobs that are not over. A job is lost when nothing moves any more, not when a host is slow:
 * a canary that fills its heap may take minutes on a machine that has to be given the memory first.
 */

/** Nothing moved, and nothing runs: some stalls, a boot and its own time fit in. Milliseconds. */
const STILL = 30_000
/** However much goes on. Milliseconds. */
const LONGEST = 600_000

export class Patience {
  readonly #now: () => number
  readonly #began: number
  #moved: number
  #picture = ''

  /** `now`: milliseconds, for tests. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#began = this.#moved = now()
  }

  /**
   * Whether what is not over by now is lost. `picture` is another one whenever something moved; `isRunning` says whether
   * a run of what is left is alive, and is asked only when nothing moved for long.
   */
  async isExhausted(picture: string, isRunning: () => Promise<boolean>): Promise<boolean> {
    const at = this.#now()
    if (at - this.#began > LONGEST) return true
    if (picture !== this.#picture) {
      this.#picture = picture
      this.#moved = at
    }
    if (at - this.#moved <= STILL) return false
    if (!(await isRunning())) return true
    this.#moved = at
    return false
  }
}

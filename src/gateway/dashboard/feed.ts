/**
 * One look at the fleet for all who watch: at most one every `every` milliseconds, however many there are, and none at
 * all while nobody waits for one. There is no timer but that of a look that somebody waits for.
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds between two looks. */
const LOOK_EVERY = 2_000

export class Feed<Look> {
  readonly #take: () => Promise<Look>
  readonly #every: number
  #last: Look | undefined
  /** When that was taken, by performance.now(). */
  #at = -Infinity
  #taking: Promise<Look> | undefined
  #pause = new AbortController()
  /** Since the look that is under way was begun. */
  #isChanged = false

  /** `take` never rejects. */
  constructor(take: () => Promise<Look>, every = LOOK_EVERY) {
    this.#take = take
    this.#every = every
  }

  /** The last look, unless that is `seen` or too old: then the next one, which all who wait share. */
  async next(seen?: Look): Promise<Look> {
    const isFresh = performance.now() - this.#at < this.#every
    if (isFresh && this.#last !== undefined && this.#last !== seen) return this.#last
    return (this.#taking ??= this.#look())
  }

  /** Something was changed: the next look is not put off, and the last one is not shown any more. */
  hurry(): void {
    this.#at = -Infinity
    this.#isChanged = true
    this.#pause.abort()
  }

  async #look(): Promise<Look> {
    const wait = this.#at + this.#every - performance.now()
    this.#pause = new AbortController()
    if (wait > 0) await sleep(wait, undefined, { signal: this.#pause.signal }).catch(() => undefined)
    this.#isChanged = false
    const look = await this.#take()
    this.#last = look
    this.#at = this.#isChanged ? -Infinity : performance.now()
    this.#taking = undefined
    return look
  }
}

/**
 * Something that is read again and again from what may be away. One read at a time: while it hangs, whoever looks gets
 * what was read last, and since when nothing was heard. It goes on by itself as soon as it can.
 */
import { messageOf } from '../../errors.ts'
import { formatMilliseconds } from '../../units.ts'

/** Milliseconds that a look waits for it. */
const PATIENCE = 4_000

export interface Looked<T> {
  /** As it was read last; undefined: it never was. */
  value?: T
  /** Why that is not how it is now. */
  trouble?: string
}

export class Reading<T> {
  readonly #read: () => Promise<T>
  readonly #patience: number
  #value: T | undefined
  #error: string | undefined
  #running: { since: number; done: Promise<void> } | undefined

  constructor(read: () => Promise<T>, patience = PATIENCE) {
    this.#read = read
    this.#patience = patience
  }

  /** Never rejects. */
  async look(): Promise<Looked<T>> {
    const running = (this.#running ??= { since: performance.now(), done: this.#begin() })
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, this.#patience)
    await Promise.race([running.done, late])
    clearTimeout(timer)
    const trouble =
      this.#running === running
        ? `no answer for ${formatMilliseconds(performance.now() - running.since)}`
        : this.#error
    return {
      ...(this.#value === undefined ? {} : { value: this.#value }),
      ...(trouble === undefined ? {} : { trouble }),
    }
  }

  async #begin(): Promise<void> {
    // Later than the assignment of what is returned here, also where `read` throws at once.
    await Promise.resolve()
    try {
      this.#value = await this.#read()
      this.#error = undefined
    } catch (error) {
      this.#error = messageOf(error)
    }
    this.#running = undefined
  }
}

/** Names of queues for whoever asks again and again: to find them, all keys of the server are walked over. */

/** Milliseconds. */
const EVERY = 30_000

export class RecentNames {
  readonly #look: () => Promise<string[]>
  readonly #every: number
  #last: { at: number; names: Promise<string[]> } | undefined

  /** `every`: milliseconds between two looks. Default 30 s. */
  constructor(look: () => Promise<string[]>, every = EVERY) {
    this.#look = look
    this.#every = every
  }

  /** Those of the last look, the same list each time, until that is too old. Who asks meanwhile waits for one look; one that fails is not kept. */
  list(): Promise<readonly string[]> {
    const now = performance.now()
    if (this.#last === undefined || now - this.#last.at > this.#every) {
      const last = { at: now, names: this.#look() }
      this.#last = last
      last.names.catch(() => {
        if (this.#last === last) this.#last = undefined
      })
    }
    return this.#last.names
  }
}

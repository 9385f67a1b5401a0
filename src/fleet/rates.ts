/** How many runs ended in each queue, a second, over the last minute: the speed by which a backlog can be judged. */

/** Milliseconds. */
const WINDOW = 60_000

interface Look {
  at: number
  ended: ReadonlyMap<string, number>
}

export class Rates {
  readonly #ended = new Map<string, number>()
  #looks: Look[] = [{ at: performance.now(), ended: new Map() }]

  /** Hot path. */
  count(queue: string): void {
    this.#ended.set(queue, (this.#ended.get(queue) ?? 0) + 1)
  }

  /** A second, by queue, since the look that was a minute ago, or the first. To be called now and then. */
  look(now = performance.now()): Record<string, number> {
    // The newest of those that are a minute old is the one to compare with.
    while (this.#looks[1] !== undefined && now - this.#looks[1].at >= WINDOW) this.#looks.shift()
    const [past] = this.#looks as [Look]
    this.#looks.push({ at: now, ended: new Map(this.#ended) })
    const seconds = Math.max(1, (now - past.at) / 1_000)
    return Object.fromEntries(
      [...this.#ended].map(([queue, ended]) => [
        queue,
        round((ended - (past.ended.get(queue) ?? 0)) / seconds),
      ]),
    )
  }
}

function round(rate: number): number {
  return Math.round(rate * 100) / 100
}

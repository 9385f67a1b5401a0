/**
 * The end of the next batch, looked for while the one before it is worked on: a round trip, and a walk over as many keys,
 * that nobody waits for. Only where batches have come to a size: else it would be that of another one.
 */
import type { Database } from './database.ts'
import type { Batch, Range, Source } from './source.ts'

interface Ahead {
  range: Range
  limit: number
  batch: Promise<Batch | undefined>
}

export class Lookahead {
  readonly #source: Source
  readonly #db: Database
  #ahead: Ahead | undefined
  /** Of the last two that were asked for. */
  #limits = [0, 0]

  constructor(source: Source, db: Database) {
    this.#source = source
    this.#db = db
  }

  next(range: Range, limit: number): Promise<Batch | undefined> {
    const ahead = this.#ahead
    this.#ahead = undefined
    this.#limits = [this.#limits[1] as number, limit]
    const isIt =
      ahead?.range.after === range.after && ahead.range.until === range.until && ahead.limit === limit
    return isIt ? ahead.batch : this.#source.next(this.#db, range, limit)
  }

  /** `rows`: of the batch that is worked on now. */
  begin(range: Range, rows: number): void {
    if (this.#source.looksAhead !== true || this.#limits.some(limit => limit !== rows)) return
    const batch = this.#source.next(this.#db, range, rows)
    // Who asks for it hears of it.
    batch.catch(() => undefined)
    this.#ahead = { range, limit: rows, batch }
  }
}

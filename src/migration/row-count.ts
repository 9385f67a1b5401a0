/**
 * Rows that a slice has committed and not told its replica yet, which counts them for metrics: told about once a second,
 * and when the slice is over. When it is killed they are done all the same, as the ledger knows.
 */
import type { PartContext } from '../job/part.ts'

/** Milliseconds. */
const EVERY = 1_000

export class RowCount {
  readonly #ctx: Pick<PartContext, 'progressed'>
  #rows = 0
  #batch = 0
  #told = performance.now()

  constructor(ctx: Pick<PartContext, 'progressed'>) {
    this.#ctx = ctx
  }

  /** One batch that is committed. */
  add(rows: number): void {
    if (rows === 0) return
    this.#rows += rows
    this.#batch = rows
    if (performance.now() - this.#told >= EVERY) this.tell()
  }

  tell(): void {
    if (this.#rows === 0) return
    this.#ctx.progressed({ rows: this.#rows, batch: this.#batch })
    this.#rows = 0
    this.#told = performance.now()
  }
}

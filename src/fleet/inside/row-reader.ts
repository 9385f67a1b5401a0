/**
 * Reads any source of rows chunk by chunk, from a place on, and never holds the loop for longer than it may.
 *
 * The source is opened at once: lines of readline, and events in general, are lost while nobody listens.
 */
import type { Run } from './run.ts'
import { breathe, isUsedUp } from './slice.ts'

export interface Reading {
  /** Rows of a chunk. */
  size: number
  /** Rows that are passed over. */
  skip: number
  /** Milliseconds that the loop may be held. */
  budget: number
}

export class RowReader<Row> {
  readonly #run: Run
  readonly #source: Iterable<Row> | AsyncIterable<Row>
  readonly #iterator: Iterator<Row> | AsyncIterator<Row>
  #waiting: PromiseWithResolvers<IteratorResult<Row>> | undefined
  #over = false

  constructor(run: Run, source: Iterable<Row> | AsyncIterable<Row>) {
    this.#run = run
    this.#source = source
    if (Symbol.asyncIterator in source) {
      this.#iterator = source[Symbol.asyncIterator]()
      run.signal.addEventListener('abort', this.#onAbort, { once: true })
    } else this.#iterator = source[Symbol.iterator]()
  }

  /** Rejects with what the source throws, and with the reason of an aborted run, though its source may never go on. */
  async *chunks({ size, skip, budget }: Reading): AsyncGenerator<Row[], void, undefined> {
    const source = this.#source
    if (Array.isArray(source)) {
      for (let from = skip; from < source.length; from += size) yield source.slice(from, from + size) as Row[]
      return
    }
    const rows: Row[] = []
    let left = skip
    for (;;) {
      // What can be had at once is not waited for.
      const row = Symbol.asyncIterator in source ? await this.#await() : this.#take()
      if (row.done === true) break
      if (left > 0) left--
      else if (rows.push(row.value) === size) yield rows.splice(0)
      // A row may be costly to make, and many may be passed over.
      if (isUsedUp(budget)) await breathe(this.#run, budget)
    }
    if (rows.length > 0) yield rows
  }

  /** Lets go of the run, and lets a source that did not come to its end free what it holds. */
  async close(): Promise<void> {
    this.#run.signal.removeEventListener('abort', this.#onAbort)
    if (this.#over) return
    this.#over = true
    const closing = this.#iterator.return?.()
    // A generator answers only after the row that is waited for, which may never come.
    if (this.#waiting === undefined) await closing
    else Promise.resolve(closing).catch(() => undefined)
  }

  #take(): IteratorResult<Row> {
    this.#over = true
    const row = (this.#iterator as Iterator<Row>).next()
    this.#over = row.done === true
    return row
  }

  async #await(): Promise<IteratorResult<Row>> {
    if (this.#run.aborted !== undefined) throw this.#run.aborted
    const waiting = (this.#waiting = Promise.withResolvers())
    ;(this.#iterator as AsyncIterator<Row>).next().then(waiting.resolve, (error: unknown) => {
      this.#over = true
      waiting.reject(error)
    })
    const row = await waiting.promise
    this.#waiting = undefined
    this.#over = row.done === true
    return row
  }

  readonly #onAbort = (): void => this.#waiting?.reject(this.#run.aborted)
}

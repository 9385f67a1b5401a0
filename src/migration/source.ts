/** What a migration walks through, in ranges that can be cut: the contract between sources and the engine. */
import type { Database, Queryable, Row } from './database.ts'

/** A place in a source, as text: a number breaks beyond 2^53, a Date loses microseconds. */
export type Cursor = readonly string[]

/** Rows after `after` up to and with `until`; null: from the beginning, to the end. */
export interface Range {
  after: Cursor | null
  until: Cursor | null
}

export interface Batch {
  /** Place of the last row. */
  last: Cursor
  /** How many rows lie up to there. */
  rows: number
}

/** Rows of a range. */
export interface Portion<Of = Row> {
  rows: readonly Of[]
  /** Names a row of these among all others: where it is. Not told with each row, since few are ever asked for. */
  readonly keyOf: (row: Of) => Cursor
  /** Whether that is the same whenever the row is read. Default true. */
  readonly isStable?: boolean
}

export interface Source<Of = Row> {
  /** One of its own for each slice, where it keeps something from one call to the next. */
  fresh?(): Source<Of>
  /** All that is there now: what comes later is the business of whoever writes it. Undefined: nothing is. */
  bounds(db: Database): Promise<Range | undefined>
  /** At most `shards` ranges, side by side, of about the same number of rows. */
  split(db: Database, range: Range, shards: number): Promise<Range[]>
  /** The next rows of a range, at most `limit`; undefined: none is left. Outside of the transaction. */
  next(db: Database, range: Range, limit: number): Promise<Batch | undefined>
  /** Whether `next` may be asked for what comes after a batch while that is still being worked on. Default false. */
  readonly looksAhead?: boolean
  /** The rows of a range, inside the transaction that is about to write them. */
  read(tx: Queryable, db: Database, range: Range): Promise<Portion<Of>>
  /** How many rows there are in about; undefined where that is not known cheaply. Never fails the run. */
  estimate(db: Database): Promise<number | undefined>
  /** The row of this key, to be tried again; undefined when it is gone. Absent: rows of this source cannot be retried. */
  one?(tx: Queryable, db: Database, key: Cursor): Promise<Of | undefined>
}

/** `placeOf`: where the row of that index is. */
export function portionOf<Of>(rows: readonly Of[], placeOf: (index: number) => Cursor): Portion<Of> {
  let indexes: Map<Of, number> | undefined
  return {
    rows,
    keyOf(row) {
      indexes ??= new Map(rows.map((one, i) => [one, i]))
      const index = indexes.get(row)
      if (index === undefined) throw new Error('this row is not one of the batch')
      return placeOf(index)
    },
  }
}

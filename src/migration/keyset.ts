/**
 * Rows of a table by a key that is unique, never null and never changed: pages by key, not by offset, so that the last
 * page costs what the first did. The order is that of the database, whatever the type of the key; here it is only text,
 * and a key whose text loses something is refused (binary keys, enums of MySQL).
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { RunnerError } from '../errors.ts'
import { quoteTable, type Database, type Queryable, type Row } from './database.ts'
import { checkKey } from './key-check.ts'
import { keyIs, keyRange } from './key-range.ts'
import { portionOf, type Batch, type Cursor, type Portion, type Range, type Source } from './source.ts'

export interface KeysetOptions {
  /** Column or columns of the key, in order. Unique together, never null, never changed by the migration; not binary. */
  key: string | readonly string[]
  /** Columns that `batch` and `each` are given. Default: all. */
  select?: readonly string[]
}

/** Of a table of at most so many rows the ranges are cut exactly; of a larger one by a sample of as many. */
const SAMPLE = 50_000

export function keyset<Of extends object = Row>(table: string, { key, select }: KeysetOptions): Source<Of> {
  const keys = [key].flat()
  if (keys.length === 0) throw new RunnerError('JOB_OPTION_INVALID', `keyset(${table}): key names no column`)
  return new Keyset<Of>(table, keys, select)
}

class Keyset<Of extends object> implements Source<Of> {
  readonly looksAhead = true
  readonly #table: string
  readonly #keys: readonly string[]
  readonly #select: readonly string[] | undefined
  /** Whether the values of the key that the author is given are, as text, what the database says: learned by looking. */
  #plain: boolean | undefined

  constructor(table: string, keys: readonly string[], select: readonly string[] | undefined) {
    this.#table = table
    this.#keys = keys
    this.#select = select
  }

  async bounds(db: Database): Promise<Range | undefined> {
    const { keys, texts, from, descending } = this.#sql(db)
    const [last] = await db.query(`select ${texts.join(', ')} from ${from} order by ${descending} limit 1`)
    if (last === undefined) return undefined
    const until = cursorOf(last, keys.length)
    await checkKey(db, { table: this.#table, columns: this.#keys, place: until })
    return { after: null, until }
  }

  async split(db: Database, range: Range, shards: number): Promise<Range[]> {
    if (shards <= 1) return [range]
    const exact = db.dialect.sample === undefined || (await this.#isSmall(db, range))
    const ends = exact ? await this.#step(db, range, shards) : await this.#sample(db, range, shards)
    const edges = [range.after, ...ends, range.until]
    return edges.slice(1).map((until, i) => ({ after: edges[i] ?? null, until: until ?? null }))
  }

  async #isSmall(db: Database, range: Range): Promise<boolean> {
    return ((await this.next(db, range, SAMPLE))?.rows ?? 0) < SAMPLE
  }

  /** The last key of each part but the last: found one by one, so that the event loop turns in between. */
  async #step(db: Database, range: Range, shards: number): Promise<Cursor[]> {
    const { list, texts, keys, from } = this.#sql(db)
    const { where, params } = keyRange(db.dialect, keys, range)
    const [all] = await db.query<{ n: number | string }>(`select count(*) as n from ${from} ${where}`, params)
    const rows = Number(all?.n)
    const size = Math.max(1, Math.ceil(rows / shards))
    const ends: Cursor[] = []
    for (let part = 1; part < shards && part * size < rows; part++) {
      await nextTurn()
      const [end] = await db.query(
        `select ${texts.join(', ')} from ${from} ${where} order by ${list} limit 1 offset ${part * size - 1}`,
        params,
      )
      if (end !== undefined) ends.push(cursorOf(end, keys.length))
    }
    return ends
  }

  /** The same of a sample, in the order of the database. */
  async #sample(db: Database, range: Range, shards: number): Promise<Cursor[]> {
    const { list, keys, from, descending } = this.#sql(db)
    const { where, params } = keyRange(db.dialect, keys, range)
    const [suffix, condition] = db.dialect.sample?.(await this.#share(db)) ?? ['', 'true']
    const sampled = `${from} ${suffix} ${where === '' ? 'where' : `${where} and`} ${condition}`
    const cuts = await db.query(
      `select ${keys.map((_, i) => `max_${i} as k${i}`).join(', ')} from (
         select part, ${keys.map((column, i) => `${db.dialect.text(column)} as max_${i}`).join(', ')},
                row_number() over (partition by part order by ${descending}) as nth
           from (select ${list}, ntile(${shards}) over (order by ${list}) as part from ${sampled}) s
       ) parts where nth = 1 order by part`,
      params,
    )
    return cuts.map(row => cursorOf(row, keys.length)).slice(0, -1)
  }

  async next(db: Database, range: Range, limit: number): Promise<Batch | undefined> {
    const last = await this.#nth(db, range, limit)
    return last === undefined ? this.#rest(db, range, limit) : { last, rows: limit }
  }

  /**
   * The key of the n-th row of a range; undefined: it has fewer. The end of the range is looked at last: a planner that
   * has no statistics takes a range of two ends for a few rows, and sorts all that is left of it each time.
   */
  async #nth(db: Database, { after, until }: Range, n: number): Promise<Cursor | undefined> {
    const { list, keys, texts, from } = this.#sql(db)
    const { where, params } = keyRange(db.dialect, keys, { after, until: null })
    const end = keyRange(db.dialect, keys, { after: null, until }, params.length)
    const [row] = await db.query(
      `select ${texts.join(', ')} from (
         select ${list} from ${from} ${where} order by ${list} limit 1 offset ${n - 1}) nth ${end.where}`,
      [...params, ...end.params],
    )
    return row === undefined ? undefined : cursorOf(row, keys.length)
  }

  /** What is left of a range, when that is less than `limit`. */
  async #rest(db: Database, range: Range, limit: number): Promise<Batch | undefined> {
    const { list, keys, texts, from, descending } = this.#sql(db)
    const { where, params } = keyRange(db.dialect, keys, range)
    const [last] = await db.query<Row & { n: number | string }>(
      `select ${texts.join(', ')}, count(*) over () as n
         from (select ${list} from ${from} ${where} order by ${list} limit ${limit}) page
        order by ${descending} limit 1`,
      params,
    )
    return last === undefined ? undefined : { last: cursorOf(last, keys.length), rows: Number(last.n) }
  }

  async read(tx: Queryable, db: Database, range: Range): Promise<Portion<Of>> {
    const { keys, list, texts, columns, from } = this.#sql(db)
    const { where, params } = keyRange(db.dialect, keys, range)
    const selected = this.#plain === true ? columns : `${columns}, ${texts.join(', ')}`
    const rows = await tx.query(
      `select ${selected} from ${from} ${where} order by ${list} ${db.dialect.lock}`,
      params,
    )
    if (this.#plain === true) return portionOf(rows as Of[], i => this.#ownKey(rows[i] as Row))
    const places = rows.map(row => this.#takeCursor(row))
    this.#plain ??=
      rows.length === 0 ? undefined : rows.every((row, i) => this.#isPlain(row, places[i] as Cursor))
    return portionOf(rows as Of[], i => places[i] as Cursor)
  }

  #ownKey(row: Row): Cursor {
    return this.#keys.map(column => String(row[column]))
  }

  /** A text, or a whole number that is none too large: a Date, a fraction, a Buffer are less than the database has. */
  #isPlain(row: Row, place: Cursor): boolean {
    return this.#keys.every((column, i) => {
      const value = row[column]
      return (typeof value === 'string' || Number.isSafeInteger(value)) && String(value) === place[i]
    })
  }

  async one(tx: Queryable, db: Database, key: Cursor): Promise<Of | undefined> {
    const { keys, columns, from } = this.#sql(db)
    const sql = `select ${columns} from ${from} where ${keyIs(keys)} ${db.dialect.lock}`
    const [row] = await tx.query(sql, key)
    return row as Of | undefined
  }

  /** The columns that are ours. They are the last ones: an object that loses its last property stays a fast one. */
  #takeCursor(row: Row): Cursor {
    const cursor = cursorOf(row, this.#keys.length)
    for (let i = this.#keys.length - 1; i >= 0; i--) delete row[`k${i}`]
    return cursor
  }

  async estimate(db: Database): Promise<number | undefined> {
    if (db.dialect.name === 'postgres') {
      const [row] = await db.query<{ n: string }>(
        'select reltuples::bigint as n from pg_class where oid = $1::regclass',
        [this.#sql(db).from],
      )
      // -1: never analysed.
      if (row !== undefined && Number(row.n) > SAMPLE) return Number(row.n)
    }
    const [row] = await db.query<{ n: number | string }>(`select count(*) as n from ${this.#sql(db).from}`)
    return Number(row?.n)
  }

  /** Percent of the table that a sample has to have. */
  async #share(db: Database): Promise<number> {
    const rows = (await this.estimate(db)) ?? 0
    return rows <= SAMPLE ? 100 : Math.max(0.01, (100 * SAMPLE) / rows)
  }

  #sql({ dialect }: Database) {
    const quote = (column: string) => dialect.quote(column)
    const keys = this.#keys.map(quote)
    return {
      keys,
      list: keys.join(', '),
      descending: keys.map(column => `${column} desc`).join(', '),
      texts: keys.map((column, i) => `${dialect.text(column)} as k${i}`),
      columns: this.#select?.map(quote).join(', ') ?? '*',
      from: quoteTable(dialect, this.#table),
    }
  }
}

/** k0, k1 ... of a row: the names of our own columns. */
function cursorOf(row: Row, keys: number): Cursor {
  return Array.from({ length: keys }, (_, i) => String(row[`k${i}`]))
}

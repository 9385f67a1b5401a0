/** Rows that a run has stepped over, by key, and what its batches emitted: both in the transaction of the batch. */
import { messageOf } from '../errors.ts'
import { change } from './change.ts'
import type { Database, Queryable } from './database.ts'
import type { Cursor } from './source.ts'

export interface RowFailure {
  key: Cursor
  error: string
  code: string | null
  attempts: number
  at: number
}

/** No longer than it is worth: an error may quote a whole file. */
const LONGEST = 10_000
const LONGEST_CODE = 190

/** As it may be written: PostgreSQL has no text with a NUL in it. */
export function failureOf(error: unknown): { message: string; code: string | null } {
  const clean = (text: string, length: number) => text.replaceAll('\0', '').slice(0, length)
  const { code } = (error ?? {}) as { code?: unknown }
  return {
    message: clean(messageOf(error), LONGEST),
    code: typeof code === 'string' ? clean(code, LONGEST_CODE) : null,
  }
}

/** As every ledger has it, whatever it lies in. */
export type Failures = Pick<FailureLedger, keyof FailureLedger>

export class FailureLedger {
  readonly #db: Database
  readonly #failures: string
  readonly #outputs: string
  /** A name that MySQL keeps for itself. */
  readonly #key: string

  constructor(db: Database) {
    this.#db = db
    this.#failures = db.dialect.table('failures')
    this.#outputs = db.dialect.table('outputs')
    this.#key = db.dialect.quote('key')
  }

  async add(tx: Queryable, run: string, key: Cursor, error: unknown): Promise<void> {
    const { now } = this.#db.dialect
    const { message, code } = failureOf(error)
    const params = [run, JSON.stringify(key), message, code]
    // Nobody else has this row: its shard is locked by this transaction, and it is retried when that is over.
    const again = `update ${this.#failures} set error = $3, code = $4, attempts = attempts + 1, state = 'open', at = ${now}
      where run = $1 and ${this.#key} = $2`
    if ((await change(this.#db, { sql: again, params }, tx)) > 0) return
    await tx.query(
      `insert into ${this.#failures} (run, ${this.#key}, error, code, attempts, state, at)
       values ($1, $2, $3, $4, 1, 'open', ${now})`,
      params,
    )
  }

  async count(run: string): Promise<number> {
    const [row] = await this.#db.query<{ n: number | string }>(
      `select count(*) as n from ${this.#failures} where run = $1 and state = 'open'`,
      [run],
    )
    return Number(row?.n)
  }

  async list(run: string): Promise<RowFailure[]> {
    const rows = await this.#db.query<Record<string, string | number | null>>(
      `select * from ${this.#failures} where run = $1 and state = 'open' order by at, ${this.#key}`,
      [run],
    )
    return rows.map(row => ({
      key: JSON.parse(String(row['key'])) as Cursor,
      error: String(row['error']),
      code: row['code'] === null ? null : String(row['code']),
      attempts: Number(row['attempts']),
      at: Number(row['at']),
    }))
  }

  /** Marks them to be tried again; of one code, if that is given. Returns how many there are. */
  async markForRetry(run: string, code: string | undefined): Promise<number> {
    const ofCode = code === undefined ? '' : 'and code = $2'
    const sql = `update ${this.#failures} set state = 'retry' where run = $1 and state = 'open' ${ofCode}`
    return change(this.#db, { sql, params: code === undefined ? [run] : [run, code] })
  }

  /** One that is marked; undefined: none is left. */
  async nextRetry(run: string): Promise<Cursor | undefined> {
    const [row] = await this.#db.query<{ key: string }>(
      `select ${this.#key} from ${this.#failures} where run = $1 and state = 'retry' order by ${this.#key} limit 1`,
      [run],
    )
    return row === undefined ? undefined : (JSON.parse(row.key) as Cursor)
  }

  /** In the transaction that writes the row: false when somebody else has done it. */
  async retried(tx: Queryable, run: string, key: Cursor): Promise<boolean> {
    const sql = `update ${this.#failures} set state = 'done', attempts = attempts + 1
        where run = $1 and ${this.#key} = $2 and state = 'retry'`
    return (await change(this.#db, { sql, params: [run, JSON.stringify(key)] }, tx)) > 0
  }

  async emit(tx: Queryable, run: string, shard: number, values: readonly unknown[]): Promise<void> {
    for (const value of values)
      await tx.query(
        `insert into ${this.#outputs} (run, shard, at, value) values ($1, $2, ${this.#db.dialect.now}, $3)`,
        [run, shard, JSON.stringify(value)],
      )
  }

  async outputs(run: string): Promise<unknown[]> {
    const rows = await this.#db.query<{ value: string }>(
      `select value from ${this.#outputs} where run = $1 order by at, shard`,
      [run],
    )
    return rows.map(({ value }) => JSON.parse(value) as unknown)
  }
}

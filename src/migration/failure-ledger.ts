/** Rows that a run has stepped over, by key, and what its batches emitted: both in the transaction of the batch. */
import { messageOf } from '../errors.ts'
import type { Database, Queryable } from './database.ts'
import type { Cursor } from './source.ts'

export interface RowFailure {
  key: Cursor
  error: string
  code: string | null
  attempts: number
  at: number
}

export class FailureLedger {
  readonly #db: Database
  readonly #failures: string
  readonly #outputs: string

  constructor(db: Database) {
    this.#db = db
    this.#failures = db.dialect.table('failures')
    this.#outputs = db.dialect.table('outputs')
  }

  async add(tx: Queryable, run: string, key: Cursor, error: unknown): Promise<void> {
    const { code } = error as { code?: unknown }
    await tx.query(
      `insert into ${this.#failures} as f (run, key, error, code, attempts, state, at)
       values ($1, $2, $3, $4, 1, 'open', ${this.#db.dialect.now})
       on conflict (run, key) do update set error = $3, code = $4, attempts = f.attempts + 1, state = 'open',
         at = ${this.#db.dialect.now}`,
      [run, JSON.stringify(key), messageOf(error), typeof code === 'string' ? code : null],
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
      `select * from ${this.#failures} where run = $1 and state = 'open' order by at, key`,
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
    const marked = await this.#db.query(
      `update ${this.#failures} set state = 'retry' where run = $1 and state = 'open'
        ${code === undefined ? '' : 'and code = $2'} returning key`,
      code === undefined ? [run] : [run, code],
    )
    return marked.length
  }

  /** One that is marked; undefined: none is left. */
  async nextRetry(run: string): Promise<Cursor | undefined> {
    const [row] = await this.#db.query<{ key: string }>(
      `select key from ${this.#failures} where run = $1 and state = 'retry' order by key limit 1`,
      [run],
    )
    return row === undefined ? undefined : (JSON.parse(row.key) as Cursor)
  }

  /** In the transaction that writes the row: false when somebody else has done it. */
  async retried(tx: Queryable, run: string, key: Cursor): Promise<boolean> {
    const [row] = await tx.query(
      `update ${this.#failures} set state = 'done', attempts = attempts + 1
        where run = $1 and key = $2 and state = 'retry' returning key`,
      [run, JSON.stringify(key)],
    )
    return row !== undefined
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

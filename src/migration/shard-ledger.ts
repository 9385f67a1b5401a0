/**
 * Shards in the ledger, and the fence: a claim raises the epoch of a shard, and each batch begins its transaction by
 * moving the cursor of its own epoch. No row moved means that another slice has the shard by now, and the batch is rolled
 * back. One that is frozen *inside* its transaction makes the next one wait on that row, and go on after it. So every
 * row is written by exactly one committed transaction, whatever happens to the processes.
 */
import { RunnerError } from '../errors.ts'
import type { BatchSize } from './batch-size.ts'
import { change, changeRow, insertNew } from './change.ts'
import type { Database, Queryable } from './database.ts'
import type { RunState } from './ledger-run.ts'
import type { Cursor, Range } from './source.ts'

/**
 * How long after its last batch a shard is left to its slice, in milliseconds: longer than a statement may take. It only
 * decides when somebody else is rung for; who may write is decided by the epoch.
 */
export const LEASE = 20_000

/** A shard in the hands of one slice. */
export interface Claim {
  readonly run: string
  readonly shard: number
  readonly epoch: number
  /** Where the next batch begins; null: at the beginning. */
  cursor: Cursor | null
  until: Cursor | null
  size: BatchSize
  /** Slices that died at this cursor; and those of them that had one row. */
  crashes: number
  alone: number
}

/** What a batch is told when it moves the cursor. */
export interface Told {
  /** End of the shard. */
  until: Cursor | null
  state: RunState
  /** Rows that the next batch may have. */
  batchMax: number
}

export interface ShardStatus {
  shard: number
  open: boolean
  cursor: Cursor | null
  until: Cursor | null
  rows: number
  ms: number
  batchSize: number
  /** Whether a slice holds it now. */
  held: boolean
}

type ShardRow = Record<string, string | number | null>

/** As every ledger has it, whatever it lies in. */
export type Shards = Pick<ShardLedger, keyof ShardLedger>

export class ShardLedger {
  readonly #db: Database
  readonly #runs: string
  readonly #shards: string
  /** Names of columns that some database keeps for itself. */
  readonly #cursor: string
  readonly #rows: string

  constructor(db: Database) {
    this.#db = db
    this.#runs = db.dialect.table('runs')
    this.#shards = db.dialect.table('shards')
    this.#cursor = db.dialect.quote('cursor')
    this.#rows = db.dialect.quote('rows')
  }

  /**
   * Undefined: it is done. An owner that is still there did not end its slice: it crashed, or it is frozen. The
   * third time at one cursor the batch is taken in smaller ones, until the row that does it is alone.
   */
  async claim(run: string, shard: number, owner: string): Promise<Claim | undefined> {
    // What is read of the row here is what was there before: in this order also where SET takes effect one by one.
    const row = await changeRow<ShardRow>(this.#db, {
      sql: `update ${this.#shards} set epoch = epoch + 1,
         alone = alone + case when owner is not null and crashes > 1 and batch_size = 1 then 1 else 0 end,
         batch_size = case when owner is null or crashes < 2 then batch_size
           when batch_size < 4 then 1 else floor(batch_size / 4) end,
         crashes = crashes + case when owner is null then 0 else 1 end,
         owner = $1, lease_until = ${this.#db.dialect.now} + ${LEASE}
       where run = $2 and shard = $3 and state = 'open'`,
      params: [owner, run, shard],
      columns: '*',
      of: `from ${this.#shards} where run = $2 and shard = $3`,
    })
    return row && claimOf(run, shard, row)
  }

  /**
   * The first statement of every batch: fence, cursor, lease, progress, and what the run is told to do, in one round
   * trip. Throws MIGRATION_FENCED. Returns also the end of the shard, which somebody may have drawn nearer.
   */
  async advance(
    tx: Queryable,
    { run, shard, epoch, cursor, size }: Claim,
    to: Cursor,
    rows: number,
  ): Promise<Told> {
    const row = await changeRow<ShardRow>(
      this.#db,
      {
        sql: `update ${this.#shards} set ${this.#cursor} = $1, ${this.#rows} = ${this.#rows} + $2, crashes = 0, alone = 0,
         batch_size = $7, lease_until = ${this.#db.dialect.now} + ${LEASE}
       where run = $3 and shard = $4 and epoch = $5 and state = 'open'
         and ${this.#db.dialect.same(this.#cursor, '$6')}`,
        params: [JSON.stringify(to), rows, run, shard, epoch, jsonOf(cursor), size.rows],
        columns: `hi, (select state from ${this.#runs} where id = $3) as run_state,
         (select batch_max from ${this.#runs} where id = $3) as batch_max`,
        of: `from ${this.#shards} where run = $3 and shard = $4`,
      },
      tx,
    )
    return told(run, shard, row)
  }

  /** What `advance` would be told, without moving the cursor. Throws MIGRATION_FENCED. */
  async look({ run, shard, epoch }: Claim): Promise<Told> {
    const [row] = await this.#db.query<ShardRow>(
      `select s.hi, r.state as run_state, r.batch_max from ${this.#shards} s join ${this.#runs} r on r.id = s.run
        where s.run = $1 and s.shard = $2 and s.epoch = $3 and s.state = 'open'`,
      [run, shard, epoch],
    )
    return told(run, shard, row)
  }

  /**
   * At the end of a transaction: whether it still is the one that `advance` was in. MySQL ends one by itself, and
   * commits what comes next statement by statement; an author who catches that error does not see it.
   */
  async isWhole(tx: Queryable, { run, shard }: Claim, to: Cursor): Promise<boolean> {
    if (this.#db.dialect.name !== 'mysql') return true
    const [row] = await tx.query<ShardRow>(
      `select ${this.#cursor} from ${this.#shards} where run = $1 and shard = $2`,
      [run, shard],
    )
    return row?.['cursor'] === JSON.stringify(to)
  }

  /** In the transaction of a batch, when there were more rows in it, or fewer, than it was said to have. */
  async correct(tx: Queryable, { run, shard }: Claim, rows: number): Promise<void> {
    const sql = `update ${this.#shards} set ${this.#rows} = ${this.#rows} + $1 where run = $2 and shard = $3`
    await tx.query(sql, [rows, run, shard])
  }

  /** The slice is over; the next one begins with what this one has learned. Without effect when it was fenced. */
  async release({ run, shard, epoch, size }: Claim, ms: number): Promise<void> {
    await this.#db.query(
      `update ${this.#shards} set owner = null, lease_until = 0, batch_size = $1, seen_rows = $2, seen_ms = $3,
         ms = ms + $4 where run = $5 and shard = $6 and epoch = $7`,
      [size.rows, size.seenRows, size.seenMs, Math.round(ms), run, shard, epoch],
    )
  }

  /** False when it was fenced, its end was moved away meanwhile, or its cursor is not where the slice thinks it is. */
  async finish({ run, shard, epoch, cursor, until }: Claim, ms: number): Promise<boolean> {
    const sql = `update ${this.#shards} set state = 'done', owner = null, lease_until = 0, ms = ms + $1
        where run = $2 and shard = $3 and epoch = $4 and ${this.#db.dialect.same('hi', '$5')}
          and ${this.#db.dialect.same(this.#cursor, '$6')}`
    const params = [Math.round(ms), run, shard, epoch, jsonOf(until), jsonOf(cursor)]
    return (await change(this.#db, { sql, params })) > 0
  }

  /**
   * Ends an open shard at `middle(what is left of it)`, and makes a new one of the rest; returns its number. Undefined when
   * it is done, when there is no middle, or when somebody else was faster.
   */
  async halve(
    run: string,
    shard: number,
    middle: (left: Range) => Promise<Cursor | undefined>,
  ): Promise<number | undefined> {
    const { dialect } = this.#db
    return this.#db
      .transaction(async tx => {
        const [row] = await tx.query<ShardRow>(
          `select * from ${this.#shards} where run = $1 and shard = $2 and state = 'open' ${dialect.lock}`,
          [run, shard],
        )
        if (row === undefined) return undefined
        const cut = await middle({ after: cursorOf(row['cursor']), until: cursorOf(row['hi']) })
        if (cut === undefined) return undefined
        await tx.query(`update ${this.#shards} set hi = $1 where run = $2 and shard = $3`, [
          jsonOf(cut),
          run,
          shard,
        ])
        const [last] = await tx.query<ShardRow>(
          `select max(shard) as shard from ${this.#shards} where run = $1`,
          [run],
        )
        const made = Number(last?.['shard']) + 1
        const isNew = await insertNew(
          this.#db,
          this.#shards,
          {
            columns: `run, shard, lo, hi, ${this.#cursor}, state, batch_size, seen_rows, seen_ms`,
            values: `$1, $2, $3, $4, $3, 'open', $5, $6, $7`,
            params: [run, made, jsonOf(cut), row['hi'], row['batch_size'], row['seen_rows'], row['seen_ms']],
          },
          tx,
        )
        if (!isNew) throw new TakenMeanwhile()
        return made
      })
      .catch((error: unknown) => {
        if (error instanceof TakenMeanwhile || this.#db.isTransient(error)) return undefined
        throw error
      })
  }

  async list(run: string): Promise<ShardStatus[]> {
    const rows = await this.#db.query<ShardRow>(
      `select s.*, case when owner is not null and lease_until > ${this.#db.dialect.now} then 1 else 0 end as held
         from ${this.#shards} s where run = $1 order by shard`,
      [run],
    )
    return rows.map(statusOf)
  }

  /** Open shards of running runs that no slice holds. */
  async orphans(): Promise<{ run: string; name: string; queue: string; shard: number }[]> {
    const rows = await this.#db.query<ShardRow>(
      `select s.run, s.shard, r.name, r.queue from ${this.#shards} s join ${this.#runs} r on r.id = s.run
        where r.state = 'running' and s.state = 'open' and s.lease_until < ${this.#db.dialect.now}`,
    )
    return rows.map(row => ({
      run: String(row['run']),
      name: String(row['name']),
      queue: String(row['queue']),
      shard: Number(row['shard']),
    }))
  }
}

/** Rows that are done, of all of them. */
export function rowsOf(shards: readonly ShardStatus[]): number {
  return shards.reduce((sum, { rows }) => sum + rows, 0)
}

/** Another shard was made of this run at the same moment: rolled back. */
class TakenMeanwhile extends Error {}

export function claimOf(run: string, shard: number, row: ShardRow): Claim {
  return {
    run,
    shard,
    epoch: Number(row['epoch']),
    cursor: cursorOf(row['cursor']),
    until: cursorOf(row['hi']),
    size: {
      rows: Number(row['batch_size']),
      seenRows: Number(row['seen_rows']),
      seenMs: Number(row['seen_ms']),
    },
    crashes: Number(row['crashes']),
    alone: Number(row['alone']),
  }
}

export function statusOf(row: ShardRow): ShardStatus {
  return {
    shard: Number(row['shard']),
    open: row['state'] === 'open',
    cursor: cursorOf(row['cursor']),
    until: cursorOf(row['hi']),
    rows: Number(row['rows']),
    ms: Number(row['ms']),
    batchSize: Number(row['batch_size']),
    held: Number(row['held']) === 1,
  }
}

/** Throws MIGRATION_FENCED when there is no row. */
export function told(run: string, shard: number, row: ShardRow | undefined): Told {
  if (row === undefined)
    throw new RunnerError('MIGRATION_FENCED', `another slice has shard ${shard} of ${run}`)
  return {
    until: cursorOf(row['hi']),
    state: String(row['run_state']) as RunState,
    batchMax: (row['batch_max'] ?? null) === null ? Infinity : Number(row['batch_max']),
  }
}

function cursorOf(json: string | number | null | undefined): Cursor | null {
  return typeof json === 'string' ? (JSON.parse(json) as Cursor) : null
}

function jsonOf(cursor: Cursor | null): string | null {
  return cursor === null ? null : JSON.stringify(cursor)
}

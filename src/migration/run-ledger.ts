/** Runs in the ledger: which there are, and how they come from one state to the next. */
import { RunnerError } from '../errors.ts'
import { change, insertNew } from './change.ts'
import type { Database } from './database.ts'
import {
  columnsOf,
  isOver,
  runOf,
  type MigrationRun,
  type NewRun,
  type RunSettings,
  type RunState,
} from './ledger-run.ts'
import { activeOf, newRunId } from './run-identity.ts'
import type { Range } from './source.ts'

/** Rows of the first batch, before anything was measured. */
export const FIRST_BATCH = 100

/** What became of a request to run a migration. */
export type Enrolment = 'new' | 'running' | 'resumed' | 'succeeded'

/** As every ledger has it, whatever it lies in. */
export type Runs = Pick<RunLedger, keyof RunLedger>

export class RunLedger {
  readonly #db: Database
  readonly #runs: string
  readonly #shards: string

  constructor(db: Database) {
    this.#db = db
    this.#runs = db.dialect.table('runs')
    this.#shards = db.dialect.table('shards')
  }

  /**
   * One run of a name and its arguments is active at a time. Running: that one. Failed or cancelled: it goes on.
   * Succeeded: nothing is done, unless `again`.
   */
  async enrol(spec: NewRun): Promise<{ run: MigrationRun; enrolment: Enrolment }> {
    const active = activeOf(spec)
    for (;;) {
      const [row] = await this.#db.query(`select * from ${this.#runs} where active = $1`, [active])
      if (row !== undefined) return this.#join(runOf(row as never), spec.checksum)
      if (!spec.again) {
        const [done] = await this.#db.query(
          `select * from ${this.#runs} where name = $1 and args = $2 and state = 'succeeded'
            order by created_at desc limit 1`,
          [spec.name, spec.args],
        )
        if (done !== undefined) return { run: runOf(done as never), enrolment: 'succeeded' }
      }
      const id = newRunId(spec.name)
      // Somebody else may be faster: then theirs is found.
      const made = await insertNew(this.#db, this.#runs, {
        columns: `id, name, args, active, checksum, git_sha, requested_by, reason, dry_run, state, queue, shards,
          created_at`,
        values: `$1, $2, $3, $4, $5, $6, $7, $8, 0, 'planning', $9, $10, ${this.#db.dialect.now}`,
        params: [
          id,
          spec.name,
          spec.args,
          active,
          spec.checksum,
          spec.gitSha ?? null,
          spec.requestedBy ?? null,
          spec.reason ?? null,
          spec.queue,
          spec.shards,
        ],
      })
      if (made) return { run: await this.get(id), enrolment: 'new' }
    }
  }

  async #join(run: MigrationRun, checksum: string): Promise<{ run: MigrationRun; enrolment: Enrolment }> {
    if (run.state !== 'failed' && run.state !== 'cancelled') return { run, enrolment: 'running' }
    // Where it has no shard yet, it is planned first.
    const planned = `exists (select 1 from ${this.#shards} where run = ${this.#runs}.id)`
    await this.#db.query(
      `update ${this.#runs} set state = case when ${planned} then 'running' else 'planning' end, error = null,
         finished_at = null, held = null, announced = announced * 0, checksum = $3,
         tolerated = (select count(*) from ${this.#db.dialect.table('failures')} where run = ${this.#runs}.id)
       where id = $1 and state = $2`,
      [run.id, run.state, checksum],
    )
    return { run: await this.get(run.id), enrolment: 'resumed' }
  }

  /** Throws MIGRATION_UNKNOWN. */
  async get(id: string): Promise<MigrationRun> {
    const [row] = await this.#db.query(`select * from ${this.#runs} where id = $1`, [id])
    if (row === undefined) throw new RunnerError('MIGRATION_UNKNOWN', `there is no run ${id}`)
    return runOf(row as never)
  }

  /** Newest first. */
  async list(name?: string): Promise<MigrationRun[]> {
    const where = name === undefined ? '' : 'where name = $1'
    const rows = await this.#db.query(
      `select * from ${this.#runs} ${where} order by created_at desc, id`,
      name === undefined ? [] : [name],
    )
    return rows.map(row => runOf(row as never))
  }

  /** Those that go on by themselves: neither over nor waiting for somebody. */
  async unfinished(): Promise<MigrationRun[]> {
    const rows = await this.#db.query(
      `select * from ${this.#runs} where state in ('planning', 'running', 'verifying')`,
    )
    return rows.map(row => runOf(row as never))
  }

  /** False when it was in none of the states `from`. */
  async move(
    id: string,
    from: readonly RunState[],
    to: RunState,
    error: string | null = null,
  ): Promise<boolean> {
    const moved = await change(this.#db, {
      sql: `update ${this.#runs} set state = $1, error = $2, active = ${to === 'succeeded' ? 'null' : 'active'},
         finished_at = ${isOver(to) ? this.#db.dialect.now : 'null'}
       where id = $3 and state in (${from.map(state => `'${state}'`).join(', ')})`,
      params: [to, error, id],
    })
    return moved > 0
  }

  /** Whether a migration of this name has ever come to its end. */
  async hasSucceeded(name: string): Promise<boolean> {
    const sql = `select 1 from ${this.#runs} where name = $1 and state = 'succeeded' limit 1`
    return (await this.#db.query(sql, [name])).length > 0
  }

  /** From the next batch on. */
  async set(id: string, to: RunSettings): Promise<void> {
    for (const [column, value] of columnsOf(to))
      await this.#db.query(`update ${this.#runs} set ${column} = $1 where id = $2`, [value, id])
  }

  /** True for one of those that ask within so many milliseconds: that one looks whether the run has to wait. */
  async takeLook(id: string, every: number): Promise<boolean> {
    const { now } = this.#db.dialect
    const sql = `update ${this.#runs} set looked_at = ${now} where id = $1 and looked_at <= ${now} - ${every}`
    return (await change(this.#db, { sql, params: [id] })) > 0
  }

  /** Why it waits; null: it does not. */
  async hold(id: string, reason: string | null): Promise<void> {
    await this.#db.query(`update ${this.#runs} set held = $1 where id = $2`, [reason, id])
  }

  /** Its file wants to be called when it is over. */
  async willAnnounce(id: string): Promise<void> {
    await this.#db.query(`update ${this.#runs} set announced = 0 where id = $1`, [id])
  }

  /** Without effect when it was enqueued again meanwhile: then it is over once more, later. */
  async announced({ id, finishedAt }: MigrationRun): Promise<void> {
    const sql = `update ${this.#runs} set announced = 1 where id = $1 and finished_at = $2`
    await this.#db.query(sql, [id, finishedAt])
  }

  /** It is over, and its file has not been called yet. */
  async toAnnounce(): Promise<MigrationRun[]> {
    const rows = await this.#db.query(
      `select * from ${this.#runs} where announced = 0 and state in ('succeeded', 'failed')`,
    )
    return rows.map(row => runOf(row as never))
  }

  /** The file is another one than that of `run`: true for one of those that see it. */
  async adopt({ id, checksum: before }: MigrationRun, checksum: string): Promise<boolean> {
    const sql = `update ${this.#runs} set checksum = $1 where id = $2 and checksum = $3`
    return (await change(this.#db, { sql, params: [checksum, id, before] })) > 0
  }

  /** What somebody did with it. */
  async note(id: string, who: string, what: string): Promise<void> {
    await this.#db.query(
      `insert into ${this.#db.dialect.table('events')} (run, at, who, what) values ($1, ${this.#db.dialect.now}, $2, $3)`,
      [id, who, what],
    )
  }

  /** Oldest first. */
  async notes(id: string): Promise<{ at: number; who: string; what: string }[]> {
    const rows = await this.#db.query<{ at: number | string; who: string; what: string }>(
      `select at, who, what from ${this.#db.dialect.table('events')} where run = $1 order by at`,
      [id],
    )
    return rows.map(({ at, who, what }) => ({ at: Number(at), who, what }))
  }

  /** The shards and the state that says that they are there come in one transaction: a run is planned once. */
  async plan(id: string, ranges: readonly Range[], estimate: number | undefined): Promise<void> {
    await this.#db.transaction(async tx => {
      const sql = `update ${this.#runs} set state = 'running', started_at = ${this.#db.dialect.now}, held = null,
          shards = $1, estimate = $2 where id = $3 and state = 'planning'`
      const params = [ranges.length, estimate ?? null, id]
      if ((await change(this.#db, { sql, params }, tx)) === 0) return
      for (const [shard, { after, until }] of ranges.entries())
        await tx.query(
          `insert into ${this.#shards} (run, shard, lo, hi, ${this.#db.dialect.quote('cursor')}, state, batch_size)
           values ($1, $2, $3, $4, $3, 'open', $5)`,
          [id, shard, after && JSON.stringify(after), until && JSON.stringify(until), FIRST_BATCH],
        )
    })
  }

  /** True for one of those that ask: no shard is open any more. In a statement of its own, after the shard's. */
  async beginVerifying(id: string): Promise<boolean> {
    const sql = `update ${this.#runs} set state = 'verifying' where id = $1 and state = 'running'
       and not exists (select 1 from ${this.#shards} where run = $1 and state = 'open')`
    return (await change(this.#db, { sql, params: [id] })) > 0
  }
}

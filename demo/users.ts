/** The table that is migrated, and the oracle: `touched` counts how often each row was written. */
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'

export interface UserCount {
  rows: number
  /** Rows whose `domain_v2` is what their address says. */
  migrated: number
  /** Rows written more than once. */
  twice: number
}

export interface LedgerCount {
  state: string
  shards: number
  rows: number
  /** How often a slice took a shard. */
  claims: number
}

export class Users implements Disposable {
  readonly file: string
  readonly #db: DatabaseSync

  private constructor(file: string) {
    this.file = file
    this.#db = new DatabaseSync(file, { timeout: 10_000 })
  }

  /** Replaces the file. */
  static create(file: string, rows: number): Users {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
    const users = new Users(file)
    users.#db.exec(`
      pragma journal_mode = wal;
      begin;
      create table users
        (id integer primary key, email text not null, domain_v2 text, touched integer not null default 0)`)
    const insert = users.#db.prepare('insert into users (id, email) values (?, ?)')
    for (let id = 1; id <= rows; id++) insert.run(id, `user${id}@${id % 3 === 0 ? 'Old' : 'New'}.Example`)
    users.#db.exec('commit')
    return users
  }

  count(): UserCount {
    return this.#db
      .prepare(
        `select count(*) as rows,
           count(*) filter (where domain_v2 = lower(substr(email, instr(email, '@') + 1))) as migrated,
           count(*) filter (where touched > 1) as twice
         from users`,
      )
      .get() as unknown as UserCount
  }

  /** What the ledger of the migration says. */
  ledger(): LedgerCount {
    return this.#db
      .prepare(
        `select (select state from runner_runs) as state, count(*) as shards, sum(rows) as rows,
           sum(epoch) as claims from runner_shards`,
      )
      .get() as unknown as LedgerCount
  }

  /** Until this share of the rows is written. */
  async untilMigrated(share: number): Promise<void> {
    const { rows } = this.count()
    const touched = this.#db.prepare('select count(*) as n from users where touched > 0')
    while (Number(touched.get()?.['n']) < rows * share) await wait(10)
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }
}

/** The table that is migrated, and the oracle: `touched` counts how often each row was written. */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'

export interface UserCount {
  rows: number
  /** Rows whose `domain_v2` is what their address says. */
  migrated: number
  /** Rows written more than once. */
  twice: number
}

export class Users implements Disposable {
  readonly file: string
  readonly #db: DatabaseSync

  private constructor(file: string) {
    this.file = file
    this.#db = new DatabaseSync(file, { timeout: 10_000 })
  }

  static create(file: string, rows: number): Users {
    const users = new Users(file)
    users.#db.exec(`
      pragma journal_mode = wal;
      create table users (id integer primary key, email text not null, domain_v2 text, touched integer not null default 0);
      begin;
    `)
    const insert = users.#db.prepare('insert into users (id, email) values (?, ?)')
    for (let id = 1; id <= rows; id++) insert.run(id, `user${id}@${id % 3 === 0 ? 'old' : 'new'}.example`)
    users.#db.exec('commit')
    return users
  }

  count(): UserCount {
    return this.#db
      .prepare(
        `select count(*) as rows,
           count(*) filter (where domain_v2 = substr(email, instr(email, '@') + 1)) as migrated,
           count(*) filter (where touched > 1) as twice
         from users`,
      )
      .get() as unknown as UserCount
  }

  async untilMigrated(share: number): Promise<void> {
    const touched = this.#db.prepare('select count(*) as n from users where touched > 0')
    const { rows } = this.count()
    while ((touched.get() as { n: number }).n < rows * share) await wait(10)
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }
}

/**
 * Fills `domain_v2` of every user from the e-mail address, each row exactly once, however often this is killed.
 *
 * The cursor lies in the same database and moves in the same transaction as the rows: either both are there or
 * neither. It carries the fence of the run that moved it last, and only a run with the same or a higher fence may move
 * it: a run that was frozen and superseded finds its batch refused, whatever it still holds in memory.
 */
import { DatabaseSync } from 'node:sqlite'
import { existsSync } from 'node:fs'
import { job } from 'bullmq-runner'
import { z } from 'zod'

const JOB = 'migrate-users'

export default job({
  description: 'fill users.domain_v2 in batches; safe to kill and to enqueue again',
  args: z.object({
    database: z.string().default('.runner/app.db').describe('SQLite file with a table users'),
    batch: z.int().min(1).max(10_000).default(500).describe('rows per transaction'),
  }),
  async run({ args, fence, progress, breathe, log }) {
    using db = open(args.database)
    const { total } = db.prepare('select count(*) as total from users').get() as { total: number }
    let { id, done } = claim(db, fence)
    log.info({ from: id, done, total }, 'migrating')
    for (;;) {
      const moved = batch(db, fence, id, args.batch)
      if (moved === undefined) break
      id = moved.id
      done += moved.rows
      progress(done, total, `user ${id}`)
      await breathe()
    }
    return { rows: done, total }
  },
})

function open(file: string): DatabaseSync {
  const hint = '`npm run demo` makes one'
  if (!existsSync(file)) throw new Error(`there is no database ${file}: ${hint}`)
  const db = new DatabaseSync(file, { timeout: 10_000 })
  const table = db.prepare("select 1 from sqlite_master where type = 'table' and name = 'users'").get()
  if (table === undefined) throw new Error(`${file} has no table users: ${hint}`)
  db.exec(`pragma journal_mode = wal;
    create table if not exists migration_cursor (job text primary key, last_id integer, done integer, fence integer)`)
  return db
}

/** Where to go on. Raising the fence first shuts out every older run. */
function claim(db: DatabaseSync, fence: number): { id: number; done: number } {
  const row = db
    .prepare(
      `insert into migration_cursor values (?, 0, 0, ?)
       on conflict (job) do update set fence = max(fence, excluded.fence) returning last_id as id, done`,
    )
    .get(JOB, fence)
  return row as { id: number; done: number }
}

/** One transaction: rows and cursor. Undefined when there are no more rows. */
function batch(
  db: DatabaseSync,
  fence: number,
  after: number,
  size: number,
): { id: number; rows: number } | undefined {
  db.exec('begin immediate')
  try {
    const rows = db
      .prepare('select id, email from users where id > ? order by id limit ?')
      .all(after, size) as {
      id: number
      email: string
    }[]
    const last = rows.at(-1)
    if (last !== undefined) {
      const moved = db
        .prepare(
          `update migration_cursor set last_id = ?, done = done + ?, fence = ?
           where job = ? and last_id = ? and fence <= ?`,
        )
        .run(last.id, rows.length, fence, JOB, after, fence)
      if (moved.changes !== 1)
        throw new Error(`a newer run of ${JOB} has taken over: this one (fence ${fence}) stops`)
      const write = db.prepare('update users set domain_v2 = ?, touched = touched + 1 where id = ?')
      for (const { id, email } of rows) write.run(email.slice(email.lastIndexOf('@') + 1), id)
    }
    db.exec('commit')
    return last && { id: last.id, rows: rows.length }
  } catch (error) {
    db.exec('rollback')
    throw error
  }
}

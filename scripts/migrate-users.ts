/**
 * Fills `domain_v2` of every user from the e-mail address, each row exactly once, however often this is killed,
 * frozen or enqueued again.
 *
 * Exactly once, because the cursor lies in the database of the rows and moves in the transaction that writes them:
 * either both are there or neither, and no two runs can read the same cursor. The cursor also carries the fence of
 * the run that moved it. A run that was frozen, and started again elsewhere meanwhile, finds its batch refused.
 */
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { domainToASCII } from 'node:url'
import { job, Unrecoverable } from 'bullmq-runner'
import { z } from 'zod'

export default job({
  description: 'Fills users.domain_v2 in batches; may be killed, and enqueued again',
  args: z.object({
    database: z.string().default('.runner/app.db').describe('SQLite file with a table users'),
    batch: z.int().min(1).max(10_000).default(500).describe('rows in a transaction'),
  }),
  attempts: 3,
  backoff: '1s',

  async run({ args, key, fence, progress, breathe, log }) {
    using db = open(args.database)
    const { total } = db.prepare('select count(*) as total from users').get() as { total: number }
    const next = batches(db, key, fence, args.batch)
    let rows = 0
    for (let moved = next(); moved.rows > 0; moved = next()) {
      if (rows === 0) log.info({ fence, from: moved.done - moved.rows, total }, 'migrating')
      rows += moved.rows
      progress(moved.done, total)
      // Also ends the run when its signal was aborted.
      await breathe()
    }
    return { rows, total }
  },
})

function open(file: string): DatabaseSync {
  const hint = '`npm run demo` makes one'
  // runner-allow-sync one look, before anything else
  if (!existsSync(file)) throw new Unrecoverable(`there is no database ${file}: ${hint}`)
  // runner-allow-sync Node has no other SQLite; chunks are small and breathe in between
  const db = new DatabaseSync(file, { timeout: 10_000 })
  if (db.prepare(`select 1 from sqlite_master where name = 'users'`).get() === undefined) {
    db.close()
    throw new Unrecoverable(`${file} has no table users: ${hint}`)
  }
  db.exec(`
    pragma journal_mode = wal;
    create table if not exists migration_cursor
      (name text primary key, last_id integer, done integer, job text, fence integer);
    insert or ignore into migration_cursor values ('migrate-users', 0, 0, '', 0)`)
  return db
}

interface Cursor {
  last_id: number
  done: number
}

/** Returns what moves one batch, in one transaction: `rows` of it, and rows `done` in all. No rows: it is over. */
function batches(db: DatabaseSync, key: string, fence: number, size: number) {
  // A fence grows with each start of one job. Another job may go on with what this one has begun.
  const claim = db.prepare(`update migration_cursor set job = :key, fence = :fence
    where name = 'migrate-users' and (job <> :key or fence <= :fence) returning last_id, done`)
  const read = db.prepare('select id, email from users where id > ? order by id limit ?')
  const write = db.prepare('update users set domain_v2 = ?, touched = touched + 1 where id = ?')
  const advance = db.prepare(`update migration_cursor set last_id = ?, done = ? where name = 'migrate-users'`)

  return () =>
    transaction(db, () => {
      const cursor = claim.get({ key, fence }) as unknown as Cursor | undefined
      if (cursor === undefined) throw new Unrecoverable(`a later start than ${fence} of this job took over`)
      const users = read.all(cursor.last_id, size) as unknown as { id: number; email: string }[]
      for (const { id, email } of users) write.run(domainOf(email), id)
      const done = cursor.done + users.length
      advance.run(users.at(-1)?.id ?? cursor.last_id, done)
      return { rows: users.length, done }
    })
}

/** As DNS knows it: 'Zoë@MÜNCHEN.example' -> 'xn--mnchen-3ya.example'. */
const domainOf = (email: string): string => domainToASCII(email.slice(email.lastIndexOf('@') + 1))

/** Immediate: a second writer waits before it reads the cursor, not after. */
function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('begin immediate')
  try {
    const result = work()
    db.exec('commit')
    return result
  } catch (error) {
    db.exec('rollback')
    throw error
  }
}

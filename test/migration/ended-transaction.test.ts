/** A database that ends the transaction of a batch by itself: what comes next must not be committed statement by statement. */
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { RowContext } from '../../src/migration/definition.ts'
import { describeDatabases, startDatabase, touches, type TestDatabase } from '../helpers/databases.ts'
import { openUsers, resetUsers, ROWS, TOUCH, type User } from '../helpers/users-migration.ts'

describeDatabases(kind => {
  let server: TestDatabase
  beforeAll(async () => void (server = await startDatabase(kind)))
  beforeEach(() => resetUsers(server))
  afterAll(() => server[Symbol.asyncDispose]())

  async function expectOnce(each: (user: User, context: RowContext<User>) => unknown): Promise<void> {
    const driver = await openUsers(server, { shards: 1, each, verify: () => true })
    const run = await driver.run()
    expect(run).toMatchObject({ state: 'succeeded' })
    const failed = await driver.ledger.failures.count(run.id)
    expect(await touches(server.db)).toEqual({ ...(failed > 0 && { 0: failed }), 1: ROWS - failed })
    expect(await driver.rows(run.id)).toBe(ROWS)
  }

  if (kind === 'sqlite')
    it('a constraint that rolls back: its row is stepped over, and all others are written once', async () => {
      await server.db.query('drop table if exists owners')
      await server.db.query('create table owners (id integer primary key on conflict rollback)')
      await server.db.query('insert into owners values (42)')
      await expectOnce(async ({ id }, { tx }) => {
        await tx.query(TOUCH, ['x', id])
        if (id === 42) await tx.query('insert into owners values (42)')
      })
    })

  if (kind === 'mariadb')
    it('a deadlock that the author makes an error of his own: each row is written once', async () => {
      await server.db.query('drop table if exists other')
      await server.db.query('create table other (id integer primary key, n integer default 0)')
      await server.db.query(
        'insert into other (id) with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) select i from n',
      )
      const theirs = await createConnection(server.url)
      let isFirst = true
      await expectOnce(async ({ id }, { tx }) => {
        if (id === 15 && isFirst) {
          isFirst = false
          // Theirs is the heavier one: the batch is rolled back.
          await theirs.beginTransaction()
          await theirs.query('update other set n = n + 1')
          const waiting = theirs
            .query('update users set email = email where id = 3')
            .then(() => theirs.commit())
          await expect
            .poll(() =>
              server.db.query(
                "select 1 from information_schema.processlist where info like 'update users set email%'",
              ),
            )
            .toHaveLength(1)
          const error = await tx.query('update other set n = 7 where id = 1').then(() => undefined, String)
          await waiting
          // As authors do: without the code, and without the cause.
          if (error !== undefined) throw new Error(`other: ${error}`)
        }
        await tx.query(TOUCH, ['x', id])
      })
      await theirs.end()
      expect(isFirst).toBe(false)
    })

  if (kind === 'postgres')
    it('a session that ends while nobody asks it anything: the batch is tried again, and this process lives', async () => {
      let isFirst = true
      await expectOnce(async ({ id }, { tx }) => {
        await tx.query(TOUCH, ['x', id])
        if (id !== 15 || !isFirst) return
        isFirst = false
        const [own] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
        await server.db.query('select pg_terminate_backend($1)', [own?.pid])
        await expect
          .poll(() => server.db.query('select 1 from pg_stat_activity where pid = $1', [own?.pid]))
          .toEqual([])
      })
    })
})

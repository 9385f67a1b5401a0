/** One real batch, rolled back: nothing of it stays, not even a ledger. */
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { BatchContext, Migration } from '../../src/migration/definition.ts'
import { dryRun } from '../../src/migration/dry-run.ts'
import { keyset } from '../../src/migration/keyset.ts'
import { describeDatabases, makeUsers, startDatabase, type TestDatabase } from '../helpers/databases.ts'
import { domainOf, poison, TOUCH, type User } from '../helpers/users-migration.ts'

const log = pino({ level: 'silent' }) as unknown as BatchContext['log']

describeDatabases(kind => {
  let server: TestDatabase
  beforeAll(async () => {
    server = await startDatabase(kind)
    await makeUsers(server.db, 1_000)
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const of = (options: object): Migration => ({
    name: 'fill',
    file: import.meta.filename,
    shards: 4,
    args: {},
    source: keyset<User>('users', { key: 'id', select: ['id', 'email'] }) as unknown as Migration['source'],
    ...options,
  })

  /** All rows of all tables, as one text. */
  async function dump(): Promise<string> {
    const tables = await server.db.query<{ t: string }>(
      {
        sqlite: `select name as t from sqlite_master where type = 'table' order by name`,
        postgres: `select table_schema || '.' || table_name as t from information_schema.tables
                    where table_schema not in ('pg_catalog', 'information_schema') order by 1`,
        mariadb:
          'select table_name as t from information_schema.tables where table_schema = database() order by 1',
      }[kind],
    )
    const rows = await Promise.all(tables.map(({ t }) => server.db.query(`select * from ${t} order by 1`)))
    return JSON.stringify([tables, rows])
  }

  it('says what a batch does, and leaves the database as it was', async () => {
    const before = await dump()
    const batch = async ({ rows, tx, emit }: BatchContext<User>) => {
      for (const user of rows) await tx.query(TOUCH, [domainOf(user), user.id])
      const [first] = await tx.query<{ touched: number }>('select touched from users where id = $1', [
        rows[0]?.id,
      ])
      emit(first)
    }
    expect(await dryRun(of({ batch }), server.db, { limit: 30, log })).toMatchObject({
      estimate: 1_000,
      ranges: 4,
      rows: 30,
      emitted: [{ touched: 1 }],
    })
    expect(await dump()).toBe(before)
  })

  it('says what it throws, and leaves the database as it was', async () => {
    const before = await dump()
    const each = async ({ id }: User, { tx }: BatchContext<User>) => {
      await tx.query(TOUCH, ['x', id])
      if (id === 30) poison(id)
    }
    const { error, rows } = await dryRun(of({ each }), server.db, { limit: 30, log })
    expect(rows).toBe(30)
    expect(error).toMatchObject({ message: 'user 30 is poison' })
    expect(await dump()).toBe(before)
  })

  it('refuses what cannot be rolled back', async () => {
    const refused = dryRun(of({ batch: () => {}, effects: 'external' }), server.db, { limit: 1, log })
    await expect(refused).rejects.toThrow(`fill has effects: 'external': a batch of it cannot be rolled back`)
  })
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Database } from '../../src/migration/database.ts'
import { keyset, type KeysetOptions } from '../../src/migration/keyset.ts'
import type { Cursor, Range } from '../../src/migration/source.ts'
import { describeDatabases, makeUsers, startDatabase, type TestDatabase } from '../helpers/databases.ts'
import { walk } from '../helpers/walk-source.ts'

describeDatabases(kind => {
  let server: TestDatabase
  let db: Database
  beforeAll(async () => {
    server = await startDatabase(kind)
    db = server.db
    await makeUsers(db, 1_000)
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const TABLES: Record<string, { columns: string; values: string; options: KeysetOptions }> = {
    'a number': { columns: 'id integer primary key', values: 'i * 7', options: { key: 'id' } },
    'a number beyond 2^53': {
      columns: 'id bigint primary key',
      values: '9007199254740993 + i',
      options: { key: 'id' },
    },
    'a negative number': { columns: 'id integer primary key', values: 'i - 150', options: { key: 'id' } },
    'a text': {
      columns: 'id varchar(40) primary key',
      values: `concat('k', 1000 + i, case when i % 2 = 0 then ' é''"' else '%_' end)`,
      options: { key: 'id' },
    },
    'two columns': {
      columns: 'a integer, b varchar(40), primary key (a, b)',
      values: `i % 5, concat('b', i)`,
      options: { key: ['a', 'b'] },
    },
    'a reserved word': { columns: 'QUOTED integer primary key', values: 'i', options: { key: 'order' } },
  }

  it.each(Object.entries(TABLES))(
    'walks and cuts a table by %s',
    async (_case, { columns, values, options }) => {
      await db.query('drop table if exists t')
      await db.query(`create table t (${columns.replace('QUOTED', db.dialect.quote('order'))})`)
      await db.query(
        `insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 300)
           select ${values} from n`,
      )
      const source = keyset('t', options)
      const bounds = (await source.bounds(db)) as Range
      expect(await walk(db, source, bounds, 37)).toHaveLength(300)
      const ranges = await source.split(db, bounds, 7)
      expect(ranges).toHaveLength(7)
      const parts = await Promise.all(ranges.map(range => walk(db, source, range, 20)))
      expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(44)
      const rows = parts.flat().map(row => Object.values(row).map(String).join())
      expect(new Set(rows).size).toBe(300)
      expect(rows).toHaveLength(300)
    },
  )

  it('gives the columns that were asked for and no other, and knows where each row is', async () => {
    const source = keyset<{ email: string }>('users', { key: 'id', select: ['email'] })
    const { rows, keyOf } = await source.read(db, db, { after: ['3'], until: ['9'] })
    expect(rows).toEqual([{ email: 'user2@host2.example' }, { email: 'user3@host3.example' }])
    expect(rows.map(row => keyOf(row))).toEqual([['6'], ['9']] satisfies Cursor[])
  })

  it('cuts no more ranges than there are rows, and none of an empty table', async () => {
    await db.query('drop table if exists few')
    await db.query('create table few (id integer primary key)')
    const source = keyset('few', { key: 'id' })
    expect(await source.bounds(db)).toBeUndefined()
    await db.query('insert into few values (5), (6)')
    const ranges = await source.split(db, (await source.bounds(db)) as Range, 16)
    expect(ranges).toEqual([
      { after: null, until: ['5'] },
      { after: ['5'], until: ['6'] },
    ])
  })

  it('estimates how many rows there are', async () => {
    expect(await keyset('users', { key: 'id' }).estimate(db)).toBe(1_000)
  })

  it('refuses a key whose text is less than the key, or in another order', async () => {
    await db.query('drop table if exists odd')
    const odd = {
      sqlite: ['create table odd (id blob primary key)', `insert into odd values (x'00ff10'), (x'41')`],
      postgres: undefined,
      mariadb: [
        'create table odd (id binary(4) primary key)',
        `insert into odd values (x'00ff1020'), (x'41424344')`,
      ],
    }[kind]
    for (const statement of odd ?? []) await db.query(statement)
    const bounds = keyset('odd', { key: 'id' }).bounds(db)
    if (odd !== undefined) await expect(bounds).rejects.toThrow('keyset(odd): id cannot be the key')
    else await expect(bounds).rejects.toThrow('odd')
    if (kind !== 'mariadb') return
    await db.query('drop table odd')
    await db.query(`create table odd (state enum('zero', 'alpha'), id integer, primary key (state, id))`)
    await db.query(`insert into odd values ('alpha', 1), ('zero', 2)`)
    await expect(keyset('odd', { key: ['state', 'id'] }).bounds(db)).rejects.toThrow('it is of type enum')
  })

  it('refuses a key of no column', () => {
    expect(() => keyset('users', { key: [] })).toThrow('keyset(users): key names no column')
  })
})

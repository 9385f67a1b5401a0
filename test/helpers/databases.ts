/** The databases that migrations are tested on, each empty, with the adapter as the engine opens it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import type { Database } from '../../src/migration/database.ts'
import { openDatabase } from '../../src/migration/databases.ts'
import { isLong } from './long.ts'
import { hasMariadb, startMariadb } from './mariadb.ts'
import { hasPostgres, startPostgres } from './postgres.ts'

export interface TestDatabase extends AsyncDisposable {
  url: string
  db: Database
  /** Ends the server at once and starts it again; absent where there is none. */
  restart?: () => Promise<void>
}

const SERVERS: Record<
  string,
  () => Promise<{ url: string; restart?: () => Promise<void> } & AsyncDisposable>
> = {
  sqlite: async () => {
    const dir = mkdtempSync(join(tmpdir(), 'test-sqlite-'))
    return {
      url: `sqlite:${join(dir, 'app.db')}`,
      [Symbol.asyncDispose]: async () => rmSync(dir, { recursive: true, force: true }),
    }
  },
  postgres: startPostgres,
  mariadb: startMariadb,
}

const DATABASE_KINDS = ['sqlite', 'postgres', 'mariadb'] as const
export type DatabaseKind = (typeof DATABASE_KINDS)[number]
/** The others only in `npm run test:long`, where what is tested lies above their adapters. */
export const EITHER_DATABASE: readonly DatabaseKind[] = isLong
  ? DATABASE_KINDS
  : [hasPostgres ? 'postgres' : 'sqlite']

const isHere: Record<DatabaseKind, boolean> = { sqlite: true, postgres: hasPostgres, mariadb: hasMariadb }

/** One suite for each; that of a server that is not on this machine is skipped, and reported so. */
/** `kinds`: where what is tested is the same in all of them, a server less is started. */
export function describeDatabases(
  suite: (kind: DatabaseKind) => void,
  kinds: readonly DatabaseKind[] = DATABASE_KINDS,
): void {
  for (const kind of kinds) describe.skipIf(!isHere[kind])(kind, () => suite(kind))
}

export async function startDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  const server = await (SERVERS[kind] as (typeof SERVERS)[string])()
  const db = await openDatabase('test', { test: server.url })
  return {
    url: server.url,
    db,
    ...(server.restart === undefined ? {} : { restart: server.restart }),
    async [Symbol.asyncDispose]() {
      await db.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** A table of so many users, with gaps in their ids, each with a counter of how often it was written. */
export async function makeUsers(db: Database, rows: number): Promise<void> {
  await db.query('drop table if exists users')
  await db.query(
    'create table users (id integer primary key, email text not null, domain text, touched integer not null default 0)',
  )
  await db.query(
    `insert into users (id, email) with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows})
       select i * 3, concat('user', i, '@host', i % 7, '.example') from n`,
  )
}

/** The oracle: rows by how often they were written. */
export async function touches(db: Database): Promise<Record<string, number>> {
  const rows = await db.query<{ touched: number; n: number | string }>(
    'select touched, count(*) as n from users group by touched order by touched',
  )
  return Object.fromEntries(rows.map(({ touched, n }) => [touched, Number(n)]))
}

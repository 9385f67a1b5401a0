/** A copy of a database to try a migration on, and whether two copies have become the same. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RunnerError, messageOf } from '../errors.ts'
import { quoteTable, type Database } from './database.ts'
import { openDatabase } from './databases.ts'

export interface DatabaseCopy extends AsyncDisposable {
  readonly url: string
}

/** Throws USAGE where there is no way to make one. */
export function copyDatabase(url: string): Promise<DatabaseCopy> {
  if (url.startsWith('sqlite:')) return copySqlite(url)
  if (/^postgres(ql)?:/.test(url)) return copyPostgres(new URL(url))
  throw new RunnerError('USAGE', 'of this database no copy can be made', { hint: ON })
}

const ON = '--on URL names a copy that you have made; it is changed'

async function copySqlite(url: string): Promise<DatabaseCopy> {
  const folder = mkdtempSync(join(tmpdir(), 'runner-copy-'))
  const file = join(folder, 'copy.db')
  const source = await openDatabase('source', { source: url })
  try {
    await source.query('vacuum into $1', [file])
  } finally {
    await source.close()
  }
  return {
    url: `sqlite:${file}`,
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** PostgreSQL copies a database that nobody is connected to. */
async function copyPostgres(url: URL): Promise<DatabaseCopy> {
  const name = decodeURIComponent(url.pathname.slice(1))
  const copy = `${name.slice(0, 40)}_try_${randomBytes(4).toString('hex')}`
  const at = (database: string) =>
    Object.assign(new URL(url), { pathname: `/${encodeURIComponent(database)}` }).href
  // One that every server has, and that is not the one to be copied.
  const admin = await openDatabase('admin', { admin: at(name === 'template1' ? 'postgres' : 'template1') })
  const quote = admin.dialect.quote
  try {
    await admin.query(`create database ${quote(copy)} template ${quote(name)}`)
  } catch (error) {
    await admin.close()
    throw new RunnerError('USAGE', `no copy of ${name} can be made: ${messageOf(error)}`, { hint: ON })
  }
  return {
    url: at(copy),
    async [Symbol.asyncDispose]() {
      await admin.query(`drop database ${quote(copy)} with (force)`)
      await admin.close()
    },
  }
}

/** Rows, and a sum over them that does not depend on their order, of each table but those of the ledger. */
export async function contentsOf(db: Database, ignored: readonly string[]): Promise<Map<string, string>> {
  const contents = new Map<string, string>()
  for (const [table, columns] of await tablesOf(db)) {
    const kept = columns.filter(
      column => !ignored.includes(column) && !ignored.includes(`${table}.${column}`),
    )
    const [row] = await db.query<{ n: unknown; sum: unknown }>(sumOf(db, table, kept))
    contents.set(table, `${String(row?.n)} rows, ${String(row?.sum)}`)
  }
  return contents
}

async function tablesOf(db: Database): Promise<Map<string, string[]>> {
  const found =
    db.dialect.name === 'sqlite'
      ? await db.query<{ t: string; c: string }>(
          `select m.name as t, c.name as c from sqlite_master m, pragma_table_info(m.name) c
            where m.type = 'table' and m.name not like 'sqlite_%' and m.name not like 'runner\\_%' escape '\\'`,
        )
      : await db.query<{ t: string; c: string }>(
          `select ${db.dialect.name === 'postgres' ? `table_schema || '.' || table_name` : 'table_name'} as t,
             column_name as c from information_schema.columns
            where table_schema not in ('pg_catalog', 'information_schema', 'runner')
              and ${db.dialect.name === 'postgres' ? 'true' : `table_schema = database() and table_name not like 'runner\\_%'`}
            order by 1, ordinal_position`,
        )
  const tables = new Map<string, string[]>()
  for (const { t, c } of found) tables.set(t, [...(tables.get(t) ?? []), c])
  return tables
}

/** SQLite has no hash: there the rows themselves are summed up by a number made of their text. */
function sumOf({ dialect }: Database, table: string, columns: readonly string[]): string {
  const text = columns.map(column => `coalesce(${dialect.text(dialect.quote(column))}, '\\N')`)
  const row = dialect.name === 'mysql' ? `concat_ws('|', ${text.join(', ')})` : text.join(` || '|' || `)
  const hashes: Record<string, string> = {
    postgres: `('x' || left(md5(${row}), 12))::bit(48)::bigint`,
    mysql: `cast(conv(left(md5(${row}), 12), 16, 10) as unsigned)`,
    sqlite: `runner_hash(${row})`,
  }
  return `select count(*) as n, sum(${hashes[dialect.name]}) as sum from ${quoteTable(dialect, table)}`
}

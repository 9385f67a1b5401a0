/** Which runs a ledger has, for who may change nothing: no ledger is made, and no SQLite file set up. */
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { openDatabase } from './databases.ts'
import { RunLedger } from './run-ledger.ts'

interface RunName {
  id: string
  name: string
  state: string
}

/** Newest first; none of a ledger in Redis. Rejects where there is no ledger, or the database does not answer. */
export async function runNames(database: string, databases: Record<string, string>): Promise<RunName[]> {
  const url = databases[database] ?? ''
  if (/^rediss?:\/\//.test(url)) return []
  if (url.startsWith('sqlite:')) return inFile(url.slice('sqlite:'.length))
  const db = await openDatabase(database, databases)
  try {
    return await new RunLedger(db).list()
  } finally {
    await db.close()
  }
}

function inFile(file: string): RunName[] {
  if (!existsSync(file)) return []
  using db = new DatabaseSync(file, { readOnly: true })
  return db
    .prepare('select id, name, state from runner_runs order by created_at desc')
    .all() as unknown as RunName[]
}

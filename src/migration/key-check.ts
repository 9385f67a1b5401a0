/** Whether a key can be a cursor: its text has to name the row again, and to be in the order of the key. */
import { RunnerError } from '../errors.ts'
import { quoteTable, type Database } from './database.ts'
import { keyIs } from './key-range.ts'
import type { Cursor } from './source.ts'

/** Of MySQL: their text loses something, or is in another order. */
const NO_KEYS = /^(enum|set|bit|json|float|double|(var)?binary|(tiny|medium|long)?blob)$/

interface Key {
  /** 'app.users' */
  table: string
  columns: readonly string[]
  /** Of a row that is there. */
  place: Cursor
}

/** Throws JOB_OPTION_INVALID. */
export async function checkKey(db: Database, { table, columns, place }: Key): Promise<void> {
  const { quote, name } = db.dialect
  const sql = `select 1 as one from ${quoteTable(db.dialect, table)} where ${keyIs(columns.map(quote))} limit 1`
  const [found] = await db.query(sql, place)
  if (found === undefined) throw refused(table, columns.join(', '), 'its text does not find the row again')
  if (name !== 'mysql') return
  const [own, schema] = table.split('.').toReversed()
  for (const column of columns) {
    const [row] = await db.query<{ type: string }>(
      `select data_type as type from information_schema.columns
        where table_schema = coalesce($1, database()) and table_name = $2 and column_name = $3`,
      [schema ?? null, own, column],
    )
    if (row !== undefined && NO_KEYS.test(row.type)) throw refused(table, column, `it is of type ${row.type}`)
  }
}

function refused(table: string, key: string, why: string): RunnerError {
  return new RunnerError('JOB_OPTION_INVALID', `keyset(${table}): ${key} cannot be the key: ${why}`, {
    hint: 'numbers, texts, uuids, dates and times can; take another unique column or index',
  })
}

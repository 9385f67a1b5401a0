/** Statements of the ledger that change rows, and have to know which: where UPDATE can return them, and where not. */
import type { Database, Queryable, Row } from './database.ts'

export interface Change {
  sql: string
  params: readonly unknown[]
}

/** How many rows it changed. In a transaction of its own, unless `tx` is one. */
export async function change(db: Database, { sql, params }: Change, tx?: Queryable): Promise<number> {
  if (db.dialect.returning) return (await (tx ?? db).query(`${sql} returning 1 as one`, params)).length
  return within(db, tx, async on => {
    await on.query(sql, params)
    const [row] = await on.query<{ n: number }>('select row_count() as n')
    return Number(row?.n)
  })
}

/** The one row that it changed, as it is then: `columns` of it; undefined: there was none. `of`: which that is. */
export async function changeRow<Of extends object = Row>(
  db: Database,
  { sql, params, columns, of }: Change & { columns: string; of: string },
  tx?: Queryable,
): Promise<Of | undefined> {
  if (db.dialect.returning) return (await (tx ?? db).query<Of>(`${sql} returning ${columns}`, params))[0]
  return within(db, tx, async on => {
    await on.query(sql, params)
    const [row] = await on.query<Of & { n: number }>(`select ${columns}, row_count() as n ${of}`, params)
    return Number(row?.n) > 0 ? row : undefined
  })
}

/** Inserts the row unless there is one of its key; true when it did. `columns`: 'a, b'. `values`: '$1, $2'. */
export async function insertNew(
  db: Database,
  into: string,
  { columns, values, params }: { columns: string; values: string; params: readonly unknown[] },
  tx?: Queryable,
): Promise<boolean> {
  const [begin, end] = db.dialect.insertNew
  const sql = `${begin} into ${into} (${columns}) values (${values}) ${end}`
  return (await change(db, { sql, params }, tx)) > 0
}

function within<T>(db: Database, tx: Queryable | undefined, work: (on: Queryable) => Promise<T>): Promise<T> {
  return tx === undefined ? db.transaction(work) : work(tx)
}

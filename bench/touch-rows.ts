/** The work of one batch: on PostgreSQL one statement, on SQLite, where a statement costs no round trip, one a row. */
import type { Queryable } from '../src/migration/database.ts'

export async function touchRows(
  tx: Queryable,
  rows: readonly { id: number; email: string }[],
  postgres: boolean,
): Promise<void> {
  if (postgres) {
    const ids = rows.map(({ id }) => id)
    await tx.query(
      `update users set touched = touched + 1, domain = split_part(email, '@', 2) where id = any($1)`,
      [ids],
    )
    return
  }
  for (const { id, email } of rows)
    await tx.query('update users set touched = touched + 1, domain = $1 where id = $2', [
      email.slice(email.lastIndexOf('@') + 1),
      id,
    ])
}

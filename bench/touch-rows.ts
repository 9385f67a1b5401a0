/** The work of one batch: on PostgreSQL one statement, on SQLite, where a statement costs no round trip, one a row. */
import type { Queryable } from '../src/migration/database.ts'

export async function touchRows(
  tx: Queryable,
  rows: readonly { id: number; email: string }[],
  postgres: boolean,
): Promise<void> {
  const domainOf = (email: string) => email.slice(email.lastIndexOf('@') + 1)
  if (postgres) {
    await tx.query(
      `update users set touched = touched + 1, domain = v.domain
         from (select unnest($1::int[]) as id, unnest($2::text[]) as domain) v where users.id = v.id`,
      [rows.map(({ id }) => id), rows.map(({ email }) => domainOf(email))],
    )
  } else
    for (const { id, email } of rows)
      await tx.query('update users set touched = touched + 1, domain = $1 where id = $2', [
        domainOf(email),
        id,
      ])
}

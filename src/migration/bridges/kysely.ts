/** `bullmq-runner/kysely`: `tx` is a Kysely transaction. */
import { CompiledQuery, type Kysely, type Transaction } from 'kysely'
import type { Bridge } from '../bridge.ts'

export function kysely<DB>(db: Kysely<DB>): Bridge<Transaction<DB>> {
  return {
    placeholders: 'native',
    transaction: work =>
      db
        .transaction()
        .execute(tx =>
          work(tx, async (sql, params) => (await tx.executeQuery(CompiledQuery.raw(sql, [...params]))).rows),
        ),
  }
}

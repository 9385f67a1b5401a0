/** `bullmq-runner/drizzle`: `tx` is a Drizzle transaction. */
import { sql, type SQL } from 'drizzle-orm'
import type { Bridge } from '../bridge.ts'

/** What the drivers of Drizzle have in common, `db.transaction()` and `tx.execute()`. */
interface DrizzleDatabase<Tx> {
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
}

export function drizzle<Tx extends { execute(query: SQL): PromiseLike<unknown> }>(
  db: DrizzleDatabase<Tx>,
): Bridge<Tx> {
  return {
    placeholders: '$',
    transaction: work =>
      db.transaction(tx =>
        work(tx, async (text, params) => {
          // 'a = $1 and b = $2' -> 'a = ', 1, ' and b = ', 2, ''
          const chunks = text
            .split(/\$(\d+)/)
            .map((part, i) => (i % 2 === 0 ? sql.raw(part) : sql`${params[Number(part) - 1]}`))
          const result = (await tx.execute(sql.join(chunks))) as { rows?: unknown[] } | unknown[]
          if (!Array.isArray(result)) return result.rows ?? []
          // mysql2: rows and their fields.
          return Array.isArray(result[0]) ? result[0] : result
        }),
      ),
  }
}

/** An ORM as the way to the database of the ledger: its transaction holds the fence and what the author writes. */
import type { Database, Row } from './database.ts'
import { questionMarks } from './databases/placeholders.ts'

/** SQL of the ledger, in the transaction. Resolves with its rows; those of an UPDATE without RETURNING do not matter. */
export type Run = (sql: string, params: readonly unknown[]) => Promise<readonly unknown[]>

export interface Bridge<Tx = unknown> {
  /** What `run` takes: '$1', always '?', or what the database itself does. */
  readonly placeholders: '$' | '?' | 'native'
  /** Commits when `work` resolves, rolls back when it rejects. `tx` is what the author is given. */
  transaction<T>(work: (tx: Tx, run: Run) => Promise<T>): Promise<T>
  /** A savepoint, where the ORM has to know of it: what `work` left unwritten is written before it resolves. */
  nested?(tx: Tx, work: (tx: Tx) => Promise<void>): Promise<void>
}

/** `db`, with the transactions of the ORM. Statements outside of them are as before. */
export function bridged(db: Database, bridge: Bridge): Database {
  const { dialect } = db
  const isNative =
    bridge.placeholders === '$' || (bridge.placeholders === 'native' && dialect.name === 'postgres')
  return {
    ...db,
    transaction: work =>
      bridge.transaction(async (author, run) => {
        const query = async <Of extends object = Row>(sql: string, params: readonly unknown[] = []) => {
          const asked = isNative ? { sql, params } : questionMarks(sql, params)
          return [...(await run(asked.sql, asked.params))] as Of[]
        }
        // Its sessions are not ours: what would last beyond the transaction is not set.
        if (dialect.limits !== undefined) await query(dialect.limits)
        return work({
          query,
          author,
          ...(bridge.nested && { nested: async inner => bridge.nested?.(author, inner) }),
        })
      }),
  }
}

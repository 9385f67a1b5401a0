/** How many rows a run has before it, in about: a comfort, and never worth failing for. */
import type { Database } from './database.ts'
import type { Migration, VerifyContext } from './definition.ts'

export async function estimateOf(migration: Migration, db: Database): Promise<number | undefined> {
  try {
    const told = await migration.estimate?.(verifyContextOf(migration, db))
    if (told !== undefined) return Number.isFinite(told) && told >= 0 ? Math.round(told) : undefined
    return await migration.source.estimate(db)
  } catch {
    return undefined
  }
}

/** Queries, and no transaction. */
export function verifyContextOf({ args }: Pick<Migration, 'args'>, database: Database): VerifyContext {
  const query: Database['query'] = (sql, params) => database.query(sql, params)
  const empty = async (sql: string, params?: readonly unknown[]) => (await query(sql, params)).length === 0
  return { db: { query, empty }, args }
}

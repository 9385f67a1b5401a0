/** One real batch, rolled back: the author's code runs as it will, and nothing of it stays. */
import type { Database } from './database.ts'
import type { BatchContext, Migration } from './definition.ts'
import { callAuthor } from './work.ts'

export interface DryRun {
  /** In about, of the whole source. */
  estimate: number | undefined
  ranges: number
  /** Of the batch. */
  rows: number
  emitted: unknown[]
  /** Of the transaction. */
  ms: number
  /** What the author's code threw. */
  error?: unknown
}

class RolledBack extends Error {}

export async function dryRun(
  migration: Migration,
  db: Database,
  { limit, log }: { limit: number; log: BatchContext['log'] },
): Promise<DryRun> {
  const { source } = migration
  const ctx = { signal: new AbortController().signal, log }
  const range = await source.bounds(db)
  const result: DryRun = { estimate: 0, ranges: 0, rows: 0, emitted: [], ms: 0 }
  if (range === undefined) return result
  result.estimate = await source.estimate(db).catch(() => undefined)
  result.ranges = (await source.split(db, range, migration.shards)).length
  const batch = await source.next(db, range, limit)
  if (batch === undefined) return result
  const started = performance.now()
  try {
    await db.transaction(async tx => {
      const rows = await source.read(tx, db, { after: range.after, until: batch.last })
      result.rows = rows.length
      result.emitted = await callAuthor({ migration, run: 'dry-run', shard: 0, ctx }, rows, tx)
      throw new RolledBack()
    })
  } catch (error) {
    if (!(error instanceof RolledBack)) result.error = error
  }
  result.ms = performance.now() - started
  return result
}

/** One real batch, rolled back: the author's code runs as it will, and nothing of it stays. */
import type { z } from 'zod'
import type { Database, Queryable } from './database.ts'
import type { BatchContext, Migration } from './definition.ts'

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
  options: { args: z.output<z.ZodType>; limit: number; shards: number; log: BatchContext['log'] },
): Promise<DryRun> {
  const { source } = migration
  const range = await source.bounds(db)
  const result: DryRun = { estimate: 0, ranges: 0, rows: 0, emitted: [], ms: 0 }
  if (range === undefined) return result
  result.estimate = await source.estimate(db).catch(() => undefined)
  result.ranges = (await source.split(db, range, options.shards)).length
  const batch = await source.next(db, range, options.limit)
  if (batch === undefined) return result
  const started = performance.now()
  try {
    await db.transaction(async tx => {
      const rows = await source.read(tx, db, { after: range.after, until: batch.last })
      result.rows = rows.length
      await call(migration, rows, tx, result, options)
      throw new RolledBack()
    })
  } catch (error) {
    if (!(error instanceof RolledBack)) result.error = error
  }
  result.ms = performance.now() - started
  return result
}

async function call(
  migration: Migration,
  rows: readonly object[],
  tx: Queryable,
  result: DryRun,
  { args, log }: { args: unknown; log: BatchContext['log'] },
): Promise<void> {
  const context: BatchContext = {
    rows: rows as BatchContext['rows'],
    args,
    tx,
    emit: value => void result.emitted.push(value),
    key: row => ['dry-run', ...migration.source.keyOf(row)].join(':'),
    signal: new AbortController().signal,
    log,
  }
  if (migration.batch !== undefined) await migration.batch(context)
  else for (const row of context.rows) await migration.each?.(row, context)
}

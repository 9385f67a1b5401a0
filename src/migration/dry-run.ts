/** One real batch, rolled back: the author's code runs as it will, and nothing of it stays. */
import { RunnerError } from '../errors.ts'
import type { Database } from './database.ts'
import { estimateOf } from './estimate.ts'
import { bridged } from './bridge.ts'
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
  plain: Database,
  { limit, log }: { limit: number; log: BatchContext['log'] },
): Promise<DryRun> {
  const { source } = migration
  if (migration.effects === 'external')
    throw new RunnerError(
      'USAGE',
      `${migration.name} has effects: 'external': a batch of it cannot be rolled back`,
      {
        hint: 'its first batch may be kept small: runner enqueue, then runner migrations set --batch 1',
      },
    )
  const db = migration.orm === undefined ? plain : bridged(plain, migration.orm)
  const ctx = { signal: new AbortController().signal, log }
  const range = await source.bounds(db)
  const result: DryRun = { estimate: 0, ranges: 0, rows: 0, emitted: [], ms: 0 }
  if (range === undefined) return result
  result.estimate = await estimateOf(migration, db)
  result.ranges = (await source.split(db, range, migration.shards)).length
  const batch = await source.next(db, range, limit)
  if (batch === undefined) return result
  const started = performance.now()
  try {
    await db.transaction(async tx => {
      const portion = await source.read(tx, db, { after: range.after, until: batch.last })
      result.rows = portion.rows.length
      result.emitted = await callAuthor({ migration, run: 'dry-run', shard: 0, ctx }, portion, tx)
      throw new RolledBack()
    })
  } catch (error) {
    if (!(error instanceof RolledBack)) result.error = error
  }
  result.ms = performance.now() - started
  return result
}

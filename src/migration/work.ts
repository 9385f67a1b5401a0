/** The author's code on some rows, inside their transaction. */
import type { JobContext } from '../job/context.ts'
import type { Database, Queryable, Row } from './database.ts'
import type { BatchContext, Migration } from './definition.ts'
import type { FailureLedger } from './failure-ledger.ts'

export interface Work {
  migration: Migration
  run: string
  shard: number
  ctx: Pick<JobContext, 'signal' | 'log'>
}

interface Place {
  tx: Queryable
  db: Database
  failures: FailureLedger
}

/**
 * Calls `batch`, or `each` for each row in a savepoint of its own: one that throws is recorded, and the others go on.
 * What was emitted is kept with them.
 */
export async function workOn(work: Work, rows: readonly Row[], place: Place): Promise<void> {
  const { migration, run } = work
  const emitted: unknown[] = []
  const context = contextOf(work, rows, place.tx, emitted)
  if (migration.each === undefined) {
    if (rows.length > 0) await migration.batch?.(context)
  } else for (const row of rows) await inSavepoint(work, row, context, place, emitted)
  await place.failures.emit(place.tx, run, work.shard, emitted)
}

/** The same on rows that must not fail: when the author's code throws, so does this. Returns what was emitted. */
export async function callAuthor(work: Work, rows: readonly Row[], tx: Queryable): Promise<unknown[]> {
  const { migration } = work
  const emitted: unknown[] = []
  const context = contextOf(work, rows, tx, emitted)
  if (migration.each === undefined) await migration.batch?.(context)
  else for (const row of rows) await migration.each(row, context)
  return emitted
}

function contextOf(
  { migration, run, ctx }: Work,
  rows: readonly Row[],
  tx: Queryable,
  emitted: unknown[],
): BatchContext {
  return {
    rows,
    args: migration.args,
    tx,
    emit: value => void emitted.push(value),
    key: row => [run, ...migration.source.keyOf(row)].join(':'),
    signal: ctx.signal,
    log: ctx.log,
  }
}

async function inSavepoint(
  { migration, run, ctx }: Work,
  row: Row,
  context: BatchContext,
  { tx, db, failures }: Place,
  emitted: unknown[],
): Promise<void> {
  const before = emitted.length
  await tx.query('savepoint one')
  try {
    await migration.each?.(row, context)
    await tx.query('release savepoint one')
  } catch (error) {
    // A lock, a timeout, a broken connection is no fault of the row.
    if (db.isTransient(error) || ctx.signal.aborted) throw error
    await tx.query('rollback to savepoint one')
    emitted.length = before
    await failures.add(tx, run, migration.source.keyOf(row), error)
  }
}

/** The author's code on the rows of one batch, inside its transaction. */
import type { z } from 'zod'
import type { JobContext } from '../job/context.ts'
import type { Database, Queryable } from './database.ts'
import type { BatchContext, Migration } from './definition.ts'
import type { FailureLedger } from './failure-ledger.ts'
import type { Range } from './source.ts'

export interface Work {
  migration: Migration
  run: string
  shard: number
  /** Output of the schema. */
  args: z.output<z.ZodType>
  ctx: Pick<JobContext, 'signal' | 'log'>
}

/** Returns how many rows there were, and how many of them `each` failed on. */
export async function workOn(
  { migration, run, shard, args, ctx }: Work,
  range: Range,
  { tx, db, failures }: { tx: Queryable; db: Database; failures: FailureLedger },
): Promise<{ rows: number; failed: number }> {
  const { source } = migration
  const rows = await source.read(tx, db, range)
  const emitted: unknown[] = []
  const context: BatchContext = {
    rows,
    args,
    tx,
    emit: value => void emitted.push(value),
    key: row => [run, ...source.keyOf(row)].join(':'),
    signal: ctx.signal,
    log: ctx.log,
  }
  let failed = 0
  if (rows.length > 0 && migration.batch !== undefined) await migration.batch(context)
  else if (migration.each !== undefined)
    for (const row of rows) {
      const before = emitted.length
      await tx.query('savepoint row')
      try {
        await migration.each(row, context)
        await tx.query('release savepoint row')
      } catch (error) {
        // A lock, a timeout, a broken connection is no fault of the row.
        if (db.isTransient(error) || ctx.signal.aborted) throw error
        await tx.query('rollback to savepoint row')
        emitted.length = before
        await failures.add(tx, run, source.keyOf(row), error)
        failed++
      }
    }
  await failures.emit(tx, run, shard, emitted)
  return { rows: rows.length, failed }
}

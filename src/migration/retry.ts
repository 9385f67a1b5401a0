/** Rows that a run has stepped over, one by one: each in a transaction with the mark that it is done. */
import { RunnerError } from '../errors.ts'
import type { JobContext } from '../job/context.ts'
import type { Row, Transaction } from './database.ts'
import type { Ledger } from './ledger.ts'
import { portionOf, type Cursor } from './source.ts'
import { callAuthor, type Work } from './work.ts'

export interface RetryOptions extends Work {
  ledger: Ledger
  ctx: JobContext
}

/** Returns when none is marked any more. One that fails again is recorded again. */
export async function retryFailures(options: RetryOptions): Promise<void> {
  const { ledger, migration, run, shard, ctx } = options
  const { db, failures } = ledger
  const { source } = migration
  if (source.one === undefined)
    throw new RunnerError('MIGRATION_FAILED', `rows of ${migration.name} cannot be found again by their key`)
  for (;;) {
    await ctx.breathe()
    const key = await failures.nextRetry(run)
    if (key === undefined) return
    try {
      if (migration.effects === 'external') await retryOutside(options, key)
      else
        await db.transaction(async tx => {
          if (!(await failures.retried(tx, run, key))) return
          const row = await source.one?.(tx, db, key)
          if (row !== undefined) await failures.emit(tx, run, shard, await callOn(row, key, options, tx))
        })
    } catch (error) {
      if (db.isTransient(error)) throw error
      await db.transaction(tx => failures.add(tx, run, key, error))
    }
  }
}

/** Marked as done when it is: a crash in between gives the row once more. */
async function retryOutside(options: RetryOptions, key: Cursor): Promise<void> {
  const { ledger, migration, run, shard } = options
  const { db, failures } = ledger
  const row = await migration.source.one?.(db, db, key)
  const emitted = row === undefined ? [] : await callOn(row, key, options)
  await db.transaction(async tx => {
    if (await failures.retried(tx, run, key)) await failures.emit(tx, run, shard, emitted)
  })
}

function callOn(row: Row, key: Cursor, options: RetryOptions, tx?: Transaction): Promise<unknown[]> {
  const portion = portionOf([row], () => key)
  return callAuthor(options, portion, tx)
}

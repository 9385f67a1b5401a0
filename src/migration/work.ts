/** The author's code on some rows: inside the transaction of their batch, or without one. */
import { RunnerError } from '../errors.ts'
import type { JobContext } from '../job/context.ts'
import type { Database, Queryable, Row, Transaction } from './database.ts'
import type { BatchContext, Migration } from './definition.ts'
import type { Failures } from './failure-ledger.ts'
import type { Cursor, Portion } from './source.ts'

export interface Work {
  migration: Migration
  run: string
  shard: number
  ctx: Pick<JobContext, 'signal' | 'log'>
}

interface Place {
  tx: Transaction
  db: Database
  failures: Failures
}

/** What is kept with the cursor. */
export interface Done {
  emitted: unknown[]
  failed: { key: Cursor; error: unknown }[]
}

/**
 * Calls `batch`, or `each` for each row in a savepoint of its own: one that throws is recorded, and the others go on.
 * What was emitted is kept with them.
 */
export async function workOn(work: Work, portion: Portion, place: Place): Promise<void> {
  const { migration, run } = work
  const emitted: unknown[] = []
  const context = contextOf(work, portion, authorOf(place.tx), emitted)
  if (migration.each === undefined) {
    if (portion.rows.length > 0) await migration.batch?.(context)
  } else for (const row of portion.rows) await inSavepoint(work, row, portion, context, place, emitted)
  await place.failures.emit(place.tx, run, work.shard, emitted)
}

/** The same without a transaction: what a row that throws has done before is done. */
export async function workOutside(
  work: Work,
  portion: Portion,
  isTransient: (error: unknown) => boolean,
): Promise<Done> {
  const { migration, ctx } = work
  const done: Done = { emitted: [], failed: [] }
  const context = contextOf(work, portion, NO_TRANSACTION, done.emitted)
  if (migration.each === undefined) {
    if (portion.rows.length > 0) await migration.batch?.(context)
    return done
  }
  for (const row of portion.rows) {
    const before = done.emitted.length
    try {
      await migration.each(row, context)
    } catch (error) {
      if (isTransient(error) || ctx.signal.aborted) throw error
      done.emitted.length = before
      done.failed.push({ key: portion.keyOf(row), error })
    }
  }
  return done
}

/** On rows that must not fail: when the author's code throws, so does this. Returns what was emitted. */
export async function callAuthor(work: Work, portion: Portion, tx?: Transaction): Promise<unknown[]> {
  const { migration } = work
  const emitted: unknown[] = []
  const context = contextOf(work, portion, tx === undefined ? NO_TRANSACTION : authorOf(tx), emitted)
  if (migration.each === undefined) await migration.batch?.(context)
  else for (const row of portion.rows) await migration.each(row, context)
  return emitted
}

function contextOf(
  { migration, run, ctx }: Work,
  { rows, keyOf, isStable = true }: Portion,
  tx: Queryable,
  emitted: unknown[],
): BatchContext {
  return {
    rows,
    args: migration.args,
    tx,
    emit: value => void emitted.push(value),
    key: row => {
      if (!isStable)
        throw new RunnerError('MIGRATION_FAILED', 'key(row): a place in a page is no name for a row', {
          hint: 'pages(fetch, { key: row => row.id })',
        })
      return [run, ...keyOf(row).map(encodeURIComponent)].join(':')
    },
    signal: ctx.signal,
    log: ctx.log,
  }
}

const authorOf = (tx: Transaction) => (tx.author ?? tx) as Queryable

const NO_TRANSACTION: Queryable = {
  async query() {
    throw new RunnerError('MIGRATION_FAILED', `a migration with effects: 'external' has no transaction`, {
      hint: 'write through a connection of your own, or leave out effects',
    })
  },
}

async function inSavepoint(
  { migration, run, ctx }: Work,
  row: Row,
  { keyOf }: Portion,
  context: BatchContext,
  { tx, db, failures }: Place,
  emitted: unknown[],
): Promise<void> {
  const before = emitted.length
  try {
    if (tx.nested)
      await tx.nested(
        async inner => void (await migration.each?.(row, { ...context, tx: inner as Queryable })),
      )
    else await bySql(tx, async () => migration.each?.(row, context))
  } catch (error) {
    // A lock, a timeout, a broken connection is no fault of the row.
    if (error instanceof TransactionGone) throw error.cause
    if (db.isTransient(error) || ctx.signal.aborted) throw error
    emitted.length = before
    await failures.add(tx, run, keyOf(row), error)
  }
}

/** The database has ended it, or the connection: nothing of the batch is there, and nothing more may be written. */
class TransactionGone extends Error {
  constructor(cause: unknown) {
    super('the transaction is gone', { cause })
  }
}

async function bySql(tx: Queryable, work: () => Promise<unknown>): Promise<void> {
  await tx.query('savepoint one')
  try {
    await work()
    await tx.query('release savepoint one')
  } catch (error) {
    await tx.query('rollback to savepoint one').catch(() => {
      throw new TransactionGone(error)
    })
    throw error
  }
}

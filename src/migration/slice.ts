/**
 * One slice of a shard: batch after batch, each a transaction of its own, until the shard or the time is over. It may be
 * killed, frozen or run beside another one at any moment: what it committed is committed with its cursor, and what it
 * did not is not there.
 *
 *   boundary of the next rows -> [ fence and cursor -> the rows -> the author's code ] -> next size
 */
import { RunnerError, messageOf } from '../errors.ts'
import type { PartContext } from '../job/part.ts'
import { milliseconds } from '../units.ts'
import { afterBatch, halved } from './batch-size.ts'
import type { Transaction } from './database.ts'
import { failureOf } from './failure-ledger.ts'
import type { Ledger } from './ledger.ts'
import type { Claim, Told } from './shard-ledger.ts'
import type { Batch } from './source.ts'
import { holdOf } from './throttle.ts'
import { Lookahead } from './lookahead.ts'
import { RowCount } from './row-count.ts'
import { workOn, workOutside, type Work } from './work.ts'

const SLICE = milliseconds('20s')
/** Batches in a row that may fail for want of a lock or a connection before the slice gives up for a while. */
const PATIENCE = 5
/** Slices that may die at a row that is alone before it is stepped over: replicas die of other things, too. */
const DEATHS = 2
/** Batches of which no more than half may fail by the author's code. */
const BREAKER = 50

/** Milliseconds between two looks whether the run has to wait. */
const LOOK_EVERY = 1_000

/** 'done': the shard is. 'again': there is more to do. 'held': later. 'stop': the run does not go on, or this slice may not. */
export type SliceEnd = 'done' | 'again' | 'held' | 'stop'

export interface SliceOptions extends Work {
  ledger: Ledger
  ctx: PartContext
}

export async function runSlice(options: SliceOptions): Promise<SliceEnd> {
  const { ledger, run, shard, ctx } = options
  if (await isHeld(options)) return 'held'
  const claim = await ledger.shards.claim(run, shard, `${ctx.id}#${ctx.fence}`)
  if (claim === undefined) return 'done'
  const slice = new Slice(options, claim)
  try {
    return await slice.run()
  } finally {
    slice.count.tell()
    // Not when this process ends before: then the owner is left, and says so.
    await ledger.shards.release(claim, slice.spent)
  }
}

async function isHeld({ ledger, run, ctx, migration }: SliceOptions): Promise<boolean> {
  const hold = await holdOf(ledger, migration.throttle ?? [], run)
  if (hold?.kind !== undefined) ctx.progressed({ rows: 0, held: hold.kind })
  return hold !== undefined
}

class Slice {
  /** Milliseconds of committed transactions. */
  spent = 0
  readonly count: RowCount
  readonly #options: SliceOptions
  readonly #claim: Claim
  readonly #lookahead: Lookahead
  #failedInARow = 0
  #batchMax = Infinity
  /** Whether each of the last batches failed by the author's code. */
  readonly #failures: boolean[] = []

  constructor(options: SliceOptions, claim: Claim) {
    this.#options = options
    this.#claim = claim
    this.count = new RowCount(options.ctx)
    this.#lookahead = new Lookahead(options.migration.source, options.ledger.db)
  }

  async run(): Promise<SliceEnd> {
    const { ledger, migration, ctx } = this.#options
    const until = performance.now() + milliseconds(migration.slice ?? SLICE)
    const claim = this.#claim
    let looked = performance.now()
    do {
      await ctx.breathe()
      if (performance.now() - looked > LOOK_EVERY) {
        if (await isHeld(this.#options)) return 'held'
        looked = performance.now()
      }
      const range = { after: claim.cursor, until: claim.until }
      const batch = await this.#lookahead.next(range, claim.size.rows)
      if (batch === undefined) {
        const finished = await ledger.shards.finish(claim, this.spent)
        this.spent = 0
        return finished ? 'done' : 'again'
      }
      const end = await this.#take(batch)
      if (end !== undefined) return end
    } while (performance.now() < until)
    return 'again'
  }

  /** One batch. Undefined: go on. */
  async #take(batch: Batch): Promise<SliceEnd | undefined> {
    const claim = this.#claim
    try {
      if (claim.alone >= DEATHS) await this.#stepOver(batch, new CrashedHere(claim))
      else if (this.#options.migration.effects === 'external') await this.#commitOutside(batch)
      else await this.#commit(batch)
      this.#failedInARow = 0
      this.#count(false)
      return undefined
    } catch (error) {
      return this.#onError(error, batch)
    }
  }

  #commit(batch: Batch): Promise<void> {
    const { ledger, migration } = this.#options
    const { db, failures, shards } = ledger
    const claim = this.#claim
    const after = async (tx: Transaction) => {
      const portion = await migration.source.read(tx, db, { after: claim.cursor, until: batch.last })
      const more = portion.rows.length - batch.rows
      if (more !== 0) await shards.correct(tx, claim, more)
      await workOn(this.#options, portion, { tx, db, failures })
      if (!(await shards.isWhole(tx, claim, batch.last)))
        throw new Error('the database ended the transaction of the batch, and the code went on after that')
      return portion.rows.length
    }
    return this.#transact(batch, { after })
  }

  /**
   * The author's code first, and the cursor when it is done: whatever was said meanwhile, what was done is done. A crash
   * in between, or a zombie, gives rows again.
   */
  async #commitOutside(batch: Batch): Promise<void> {
    const { ledger, migration, run, shard } = this.#options
    const { db, failures, shards } = ledger
    const claim = this.#claim
    this.#heed(await shards.look(claim))
    const started = performance.now()
    const portion = await migration.source.read(db, db, { after: claim.cursor, until: batch.last })
    const { emitted, failed } = await workOutside(this.#options, portion, error => db.isTransient(error))
    await db.transaction(async tx => {
      for (const { key, error } of failed) await failures.add(tx, run, key, error)
      await failures.emit(tx, run, shard, emitted)
      const { batchMax } = await shards.advance(tx, claim, batch.last, portion.rows.length)
      this.#batchMax = batchMax
    })
    this.#moved(batch, performance.now() - started, portion.rows.length)
  }

  /** The row that does it is alone: it is recorded, and the cursor moves past it. */
  #stepOver(batch: Batch, error: unknown): Promise<void> {
    const { ledger, run } = this.#options
    return this.#transact(batch, { before: tx => ledger.failures.add(tx, run, batch.last, error) })
  }

  /** Moves the cursor past the batch, with what is written before that and after it, which says how many rows there were. */
  async #transact(
    batch: Batch,
    {
      before,
      after,
    }: { before?: (tx: Transaction) => Promise<void>; after?: (tx: Transaction) => Promise<number> },
  ): Promise<void> {
    let started = 0
    let { rows } = batch
    await this.#options.ledger.db.transaction(async tx => {
      // Not before: to wait for its turn says nothing of how many rows are right.
      started = performance.now()
      await before?.(tx)
      await this.#advance(tx, batch)
      this.#lookahead.begin({ after: batch.last, until: this.#claim.until }, batch.rows)
      if (after !== undefined) rows = await after(tx)
    })
    this.#moved(batch, performance.now() - started, rows)
  }

  async #advance(tx: Transaction, { last, rows }: Batch): Promise<void> {
    this.#heed(await this.#options.ledger.shards.advance(tx, this.#claim, last, rows))
  }

  #heed({ until, state, batchMax }: Told): void {
    const claim = this.#claim
    this.#batchMax = batchMax
    if (state !== 'running') throw new RolledBack('stop')
    if (JSON.stringify(until) === JSON.stringify(claim.until)) return
    // Somebody took the far half of the shard: these rows may be theirs. The cursor goes back with the transaction.
    claim.until = until
    throw new RolledBack(undefined)
  }

  /** `done`: rows that there were, which may not be as many as were looked for. */
  #moved({ last, rows }: Batch, ms: number, done: number): void {
    const claim = this.#claim
    this.count.add(done)
    this.spent += ms
    claim.cursor = last
    claim.crashes = 0
    claim.alone = 0
    claim.size = afterBatch(claim.size, rows, ms, this.#batchMax)
  }

  async #onError(thrown: unknown, batch: Batch): Promise<SliceEnd | undefined> {
    const { ledger, ctx } = this.#options
    const claim = this.#claim
    const error = thrown instanceof Error ? thrown : new Error(`thrown: ${String(thrown)}`)
    if (isOnPurpose(error)) return endOf(error)
    // The run is ended from outside: the supervisor says what becomes of it.
    ctx.signal.throwIfAborted()
    const transient = ledger.db.isTransient(error)
    if (transient && ++this.#failedInARow > PATIENCE) throw error
    if (!transient && this.#count(true)) return this.#giveUp(error)
    if (claim.size.rows > 1 && batch.rows > 0) {
      claim.size = halved(claim.size)
      ctx.log.debug({ rows: claim.size.rows, err: error }, 'batch rolled back, again with fewer rows')
    } else if (!transient) return this.#onRow(error, batch)
    return undefined
  }

  /** It cannot be made smaller. Of one row: that is stepped over. Undefined: go on. */
  async #onRow(error: Error, batch: Batch): Promise<SliceEnd | undefined> {
    if (batch.rows !== 1) return this.#fail(`a batch that cannot be made smaller failed: ${error.message}`)
    try {
      await this.#stepOver(batch, error)
      return undefined
    } catch (thrown) {
      if (isOnPurpose(thrown)) return endOf(thrown)
      if (this.#options.ledger.db.isTransient(thrown)) throw thrown
      return this.#fail(
        `a row that failed cannot be recorded: ${messageOf(thrown)}; it failed by: ${error.message}`,
      )
    }
  }

  /** True when more than half of the last batches failed. */
  #count(failed: boolean): boolean {
    this.#failures.push(failed)
    if (this.#failures.length < BREAKER) return false
    const many = this.#failures.filter(Boolean).length > BREAKER / 2
    this.#failures.shift()
    return many
  }

  #giveUp(error: unknown): Promise<SliceEnd> {
    return this.#fail(
      `more than half of the last ${BREAKER} batches failed, the last one by: ${messageOf(error)}`,
    )
  }

  async #fail(why: string): Promise<SliceEnd> {
    const { ledger, run } = this.#options
    await ledger.runs.move(run, ['running', 'paused'], 'failed', failureOf(new Error(why)).message)
    return 'stop'
  }
}

/** Thrown inside a transaction to roll it back on purpose. */
class RolledBack extends Error {
  /** Undefined: the next batch is to be cut anew. */
  readonly end: 'stop' | undefined

  constructor(end: 'stop' | undefined) {
    super('rolled back')
    this.end = end
  }
}

/** The ledger did not let it: rolled back, or fenced. */
function isOnPurpose(error: unknown): error is RolledBack | RunnerError {
  return error instanceof RolledBack || (error instanceof RunnerError && error.code === 'MIGRATION_FENCED')
}

const endOf = (error: RolledBack | RunnerError) => (error instanceof RolledBack ? error.end : 'stop')

class CrashedHere extends Error {
  readonly code = 'JOB_CRASHED'
  constructor({ crashes }: Claim) {
    super(`${crashes} slices did not survive this row`)
  }
}

/** The jobs that a run consists of: its plan, the slices of its shards, its end. Each may be run twice, or lost. */
import { messageOf } from '../errors.ts'
import type { JobContext } from '../job/context.ts'
import { Snooze } from '../job/outcome.ts'
import { partId, partOf, partPayload, type Part, type PartContext } from '../job/part.ts'
import { bridged } from './bridge.ts'
import { withArgs, type Migration, type MigrationFile } from './definition.ts'
import { announce } from './announcement.ts'
import { estimateOf, verifyContextOf } from './estimate.ts'
import { ledgerOf } from './databases.ts'
import type { Ledger } from './ledger.ts'
import { isOver, type MigrationRun } from './ledger-run.ts'
import { failIfTooMany } from './limits.ts'
import { retryFailures } from './retry.ts'
import { canonical, checksumOf } from './run-identity.ts'
import { runSlice } from './slice.ts'
import { steal } from './steal.ts'

/** A slice makes room for other jobs of its queue, and comes back at once if there are none. Milliseconds. */
const YIELD = 1
/** Of a run that has to wait: for what its throttle says, or for another one. Milliseconds. */
const HOLD = 1_000

export async function runPart(inFile: MigrationFile, ctx: PartContext): Promise<unknown> {
  const plain = await ledgerOf(inFile.database)
  const ledger = inFile.orm === undefined ? plain : { ...plain, db: bridged(plain.db, inFile.orm) }
  const part = partOf(ctx.args)
  if (part === undefined) return begin(inFile, ledger, ctx)
  const run = await ledger.runs.get(part.run)
  const migration = withArgs(inFile, JSON.parse(run.args))
  if (part.part === 'plan') return plan(migration, ledger, run, ctx)
  if (part.part === 'end') return end(migration, ledger, run, ctx)
  if (part.part === 'split') return split(migration, ledger, run, ctx)
  if (part.part === 'retry') return retryFailures({ migration, ledger, run: run.id, shard: 0, ctx })
  return slice(migration, ledger, run, part.part, ctx)
}

/** A job with arguments, as any producer adds it. */
async function begin(migration: MigrationFile, ledger: Ledger, ctx: JobContext): Promise<unknown> {
  const { run, enrolment } = await ledger.runs.enrol({
    name: migration.name,
    args: canonical(ctx.args),
    checksum: checksumOf(migration.file),
    queue: ctx.queue,
    shards: migration.shards,
    again: false,
  })
  if (enrolment === 'new' || enrolment === 'resumed') await ring(ctx, run, 'plan')
  return { run: run.id, enrolment }
}

async function plan(migration: Migration, ledger: Ledger, run: MigrationRun, ctx: JobContext): Promise<void> {
  const { source } = migration
  if (run.state === 'planning') {
    if (migration.on !== undefined) await ledger.runs.willAnnounce(run.id)
    await waitForOthers(migration, ledger, run)
    try {
      if (ledger.db.dialect.name === 'redis' && migration.effects !== 'external')
        throw new Error(`a ledger in Redis has no transaction for it: say effects: 'external', at least once`)
      const range = await source.bounds(ledger.db)
      const ranges = range === undefined ? [] : await source.split(ledger.db, range, run.shards)
      await ledger.runs.plan(run.id, ranges, await estimateOf(migration, ledger.db))
    } catch (error) {
      if (ledger.db.isTransient(error)) throw error
      await ledger.runs.move(run.id, ['planning'], 'failed', `it cannot be planned: ${messageOf(error)}`)
      return endIfOver(migration, ledger, run, ctx)
    }
  }
  for (const { shard, open } of await ledger.shards.list(run.id)) if (open) await ring(ctx, run, shard)
  await complete(ledger, run, ctx)
}

/** Those that it comes after, if they have not succeeded yet: asked again, however long that takes. */
async function waitForOthers({ after = [] }: Migration, { runs }: Ledger, run: MigrationRun): Promise<void> {
  for (const name of after) {
    if (await runs.hasSucceeded(name)) continue
    const reason = `waits for ${name}, which has not succeeded`
    if (run.held !== reason) await runs.hold(run.id, reason)
    throw new Snooze(HOLD)
  }
}

/** More shards, while it runs: the largest that is open is halved, as long as that is worth it. */
async function split(
  { source }: Migration,
  ledger: Ledger,
  run: MigrationRun,
  ctx: JobContext,
): Promise<void> {
  const open = async () => (await ledger.shards.list(run.id)).filter(shard => shard.open).length
  while ((await open()) < run.shards) {
    const made = await steal(ledger, source, run.id)
    if (made === undefined) return
    await ring(ctx, run, made)
  }
}

async function slice(
  migration: Migration,
  ledger: Ledger,
  run: MigrationRun,
  shard: number,
  ctx: PartContext,
): Promise<void> {
  if (run.state !== 'running') return
  if (!(await goesOnWith(migration, ledger, run, ctx))) return endIfOver(migration, ledger, run, ctx)
  const how = await runSlice({ migration, ledger, run: run.id, shard, ctx })
  if (how === 'stop' || (await failIfTooMany(ledger, run))) return endIfOver(migration, ledger, run, ctx)
  if (how === 'held') throw new Snooze(HOLD)
  if (how === 'again') throw new Snooze(YIELD)
  const stolen = await steal(ledger, migration.source, run.id)
  if (stolen !== undefined) await ring(ctx, run, stolen)
  await complete(ledger, run, ctx)
}

/** Whether this file may go on with what another version of it began. */
async function goesOnWith(
  { file, changed = 'warn' }: Migration,
  { runs }: Ledger,
  run: MigrationRun,
  { log }: JobContext,
): Promise<boolean> {
  const checksum = checksumOf(file)
  if (checksum === run.checksum) return true
  if (changed === 'stop') {
    await runs.move(run.id, ['running'], 'failed', 'its file was changed while it ran')
    return false
  }
  if (await runs.adopt(run, checksum)) {
    await runs.note(
      run.id,
      'runner',
      `goes on with a changed file: ${run.checksum.slice(0, 8)} is ${checksum.slice(0, 8)} now`,
    )
    log.warn({ run: run.id }, 'the file was changed while the run went on')
  }
  return true
}

async function complete(ledger: Ledger, run: MigrationRun, ctx: JobContext): Promise<void> {
  if (await ledger.runs.beginVerifying(run.id)) await ring(ctx, run, 'end')
}

/** The author is told, if he wants to be; by a part of its own, which is tried again. */
async function endIfOver(
  migration: Migration,
  { runs }: Ledger,
  run: MigrationRun,
  ctx: JobContext,
): Promise<void> {
  if (migration.on !== undefined && isOver((await runs.get(run.id)).state)) await ring(ctx, run, 'end')
}

async function end(migration: Migration, ledger: Ledger, run: MigrationRun, ctx: JobContext): Promise<void> {
  const { db, runs } = ledger
  if (run.state === 'verifying') {
    let error: string | null = null
    try {
      const verified = await migration.verify?.(verifyContextOf(migration, db))
      if (verified === false) error = 'verify returned false'
    } catch (thrown) {
      if (db.isTransient(thrown)) throw thrown
      error = `verify: ${messageOf(thrown)}`
    }
    await runs.move(run.id, ['verifying'], error === null ? 'succeeded' : 'failed', error)
  }
  await announce(migration, ledger, await runs.get(run.id), ctx)
}

/** Its id is that of the part: while one is waiting or running, a second is not added. */
async function ring(ctx: JobContext, run: MigrationRun, part: Part['part']): Promise<void> {
  await ctx.enqueue(run.name, partPayload({ run: run.id, part }), {
    id: partId({ run: run.id, part }),
    queue: run.queue,
  })
}

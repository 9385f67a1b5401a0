/** `runner enqueue <migration>`: one run of a name and its arguments, begun, gone on with, or left as it is. */
import { databasesOf } from '../../config.ts'
import { ArgsError } from '../../errors.ts'
import { payloadJson } from '../../job/args.ts'
import { openDatabase, openLedgerOf } from '../../migration/databases.ts'
import type { MigrationRun } from '../../migration/ledger-run.ts'
import type { Enrolment } from '../../migration/run-ledger.ts'
import { begins, enrol, requirePredecessors, type MigrationEntry } from '../../steering/enrolment.ts'
import { durationOption } from '../../units.ts'
import { follow, untilOver } from '../migrations/until-over.ts'
import { enqueueOptions } from './options.ts'
import { filesOf, type EnqueueRequest } from './one.ts'
import { applyFlags } from './payload.ts'
import { runFlagsOf } from './run-flags.ts'
import { userName } from '../user-name.ts'

export async function enqueueMigration(
  given: EnqueueRequest,
  entry: MigrationEntry,
  base: unknown,
): Promise<void> {
  const { config, context, flags, target } = given
  const { flags: own, rest } = runFlagsOf(given.assignments)
  const files = await filesOf(given)
  const payload = applyFlags(base, [...rest, ...files.expected], config.redact)
  const [refused] = await target.check([payloadJson(entry.name, payload, { redact: config.redact })])
  if (refused) throw new ArgsError(refused.message, { details: refused.details })
  await target.close()
  const { database = 'default' } = entry.migration
  requirePredecessors(config, entry)
  if (flags.dryRun === true) {
    const { dryRun } = await import('../migrations/dry-run.ts')
    // Without a ledger: nothing is left in the database, not even its tables.
    const db = await openDatabase(database, databasesOf(config))
    try {
      return await dryRun({ entry, payload, db, limit: own.limit, context })
    } finally {
      await db.close()
    }
  }
  const ledger = await openLedgerOf(database, databasesOf(config))
  try {
    const queue = enqueueOptions(flags).queue ?? entry.queue
    const { shards, reason, again } = own
    // A run that nobody has heard of yet needs no sweep to leave its files alone: they are young.
    const stored = await files.store()
    const full = applyFlags(base, [...rest, ...stored.assignments], config.redact)
    const request = { payload: full, by: userName(), shards, reason, again }
    const enrolled = enrol(ledger, { ...entry, queue }, request)
    const { run, enrolment } = await enrolled.catch(async (error: unknown) => {
      await stored.discard(error)
      throw error
    })
    if (begins(enrolment)) {
      const { ring } = await import('../migrations/ring.ts')
      await ring(config, run, 'plan', context, entry.queue)
    }
    const line = LINES[enrolment](run)
    if (flags.wait !== true && flags.follow !== true) return context.print(line, { run: run.id, enrolment })
    context.note(line)
    const timeout = flags.timeout === undefined ? undefined : durationOption('--timeout', flags.timeout)
    await (flags.follow === true ? follow : untilOver)(ledger, run.id, timeout, context)
  } finally {
    await ledger.db.close()
  }
}

const LINES: Record<Enrolment, (run: MigrationRun) => string> = {
  new: ({ id }) => `run ${id} begins`,
  resumed: ({ id }) => `run ${id} goes on where it stopped`,
  running: ({ id, state }) => `run ${id} is ${state} already: nothing was added`,
  succeeded: ({ id, finishedAt }) =>
    `run ${id} succeeded at ${new Date(finishedAt ?? 0).toISOString()}: nothing was added; --again runs it again`,
}

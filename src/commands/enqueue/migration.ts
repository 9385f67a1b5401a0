/** `runner enqueue <migration>`: one run of a name and its arguments, begun, gone on with, or left as it is. */
import { userInfo } from 'node:os'
import { databasesOf } from '../../config.ts'
import { ArgsError } from '../../errors.ts'
import { payloadJson } from '../../job/args.ts'
import { toJobsOptions } from '../../job/enqueue-options.ts'
import type { JobEntry } from '../../job/manifest.ts'
import { partId, partPayload } from '../../job/part.ts'
import { openDatabase } from '../../migration/databases.ts'
import { openLedger, type Ledger } from '../../migration/ledger.ts'
import { canonical, checksumOf } from '../../migration/run-identity.ts'
import type { MigrationRun } from '../../migration/ledger-run.ts'
import type { Enrolment } from '../../migration/run-ledger.ts'
import { durationOption } from '../../units.ts'
import { untilOver } from '../migrations/until-over.ts'
import { enqueueOptions } from './options.ts'
import type { EnqueueRequest } from './one.ts'
import { applyFlags } from './payload.ts'
import { runFlagsOf, type RunFlags } from './run-flags.ts'

const DEFAULT_SHARDS = 16

export async function enqueueMigration(
  request: EnqueueRequest,
  entry: JobEntry,
  base: unknown,
): Promise<void> {
  const { config, context, flags, target } = request
  const { flags: own, rest } = runFlagsOf(request.assignments)
  const payload = applyFlags(base, rest, config.redact)
  const [refused] = await target.check([payloadJson(entry.name, payload, { redact: config.redact })])
  if (refused) throw new ArgsError(refused.message, { details: refused.details })
  await target.close()
  const db = await openDatabase(entry.migration?.database ?? 'default', databasesOf(config))
  try {
    if (flags.dryRun === true) {
      const { dryRun } = await import('../migrations/dry-run.ts')
      return await dryRun({ entry, payload, db, limit: own.limit, context })
    }
    const ledger = await openLedger(db)
    const queue = enqueueOptions(flags).queue ?? entry.queue
    const { run, enrolment } = await enrol(ledger, { ...entry, queue }, payload, own)
    if (enrolment === 'new' || enrolment === 'resumed') await ring(request, entry, run)
    const line = LINES[enrolment](run)
    if (flags.wait !== true && flags.follow !== true) return context.print(line, { run: run.id, enrolment })
    context.note(line)
    const timeout = flags.timeout === undefined ? undefined : durationOption('--timeout', flags.timeout)
    await untilOver(ledger, run.id, timeout, context)
  } finally {
    await db.close()
  }
}

const LINES: Record<Enrolment, (run: MigrationRun) => string> = {
  new: ({ id }) => `run ${id} begins`,
  resumed: ({ id }) => `run ${id} goes on where it stopped`,
  running: ({ id, state }) => `run ${id} is ${state} already: nothing was added`,
  succeeded: ({ id, finishedAt }) =>
    `run ${id} succeeded at ${new Date(finishedAt ?? 0).toISOString()}: nothing was added; --again runs it again`,
}

async function enrol(ledger: Ledger, entry: JobEntry, payload: unknown, own: RunFlags) {
  const requestedBy = userInfo().username
  const found = await ledger.runs.enrol({
    name: entry.name,
    args: canonical(payload),
    checksum: checksumOf(entry.file),
    queue: entry.queue,
    shards: own.shards ?? entry.migration?.shards ?? DEFAULT_SHARDS,
    requestedBy,
    reason: own.reason,
    again: own.again === true,
  })
  if (found.enrolment === 'new' || found.enrolment === 'resumed')
    await ledger.runs.note(found.run.id, requestedBy, found.enrolment === 'new' ? 'enqueued' : 'resumed')
  return found
}

async function ring({ config, context }: EnqueueRequest, entry: JobEntry, run: MigrationRun) {
  const { openQueue } = await import('./queue-client.ts')
  const wanted = { named: run.queue, job: entry.name, ofFile: entry.queue }
  await using client = await openQueue(config, wanted, context)
  const part = { run: run.id, part: 'plan' } as const
  await client.queue.add(entry.name, partPayload(part), toJobsOptions(entry, { id: partId(part) }))
}

/** `runner enqueue <migration> --dry-run`: imports the file here, and says what one batch of it does. */
import { pino } from 'pino'
import { RunnerError, messageOf } from '../../errors.ts'
import { placesOf } from '../../config.ts'
import { setExecutorSettings } from '../../job/executor-settings.ts'
import type { JobEntry } from '../../job/manifest.ts'
import type { Database } from '../../migration/database.ts'
import type { BatchContext } from '../../migration/definition.ts'
import { dryRun as runDry } from '../../migration/dry-run.ts'
import { formatMilliseconds } from '../../units.ts'
import type { CliContext } from '../verbs.ts'
import { importMigration } from './load-migration.ts'

const LIMIT = 100

export async function dryRun({
  entry,
  payload,
  db,
  limit = LIMIT,
  context,
}: {
  entry: JobEntry
  payload: unknown
  db: Database
  limit: number | undefined
  context: CliContext
}): Promise<void> {
  // Its source may be a stored file.
  setExecutorSettings({ databases: {}, files: placesOf(await context.config()) })
  const migration = await importMigration(entry, payload)
  const log = pino({ level: 'info' }, pino.destination(2)) as unknown as BatchContext['log']
  const { error, emitted, ...result } = await runDry(migration, db, { limit, log })
  const about = result.estimate === undefined ? 'an unknown number of' : `about ${count(result.estimate)}`
  const line = `would walk ${about} rows in ${result.ranges} shards; a batch of ${count(result.rows)} took ${formatMilliseconds(result.ms)} and was rolled back`
  if (error === undefined)
    return context.print([line, ...emitted.map(value => JSON.stringify(value))].join('\n'), {
      ...result,
      emitted,
    })
  context.note(line)
  throw new RunnerError('MIGRATION_FAILED', `a batch of ${entry.name} fails: ${messageOf(error)}`, {
    cause: error,
  })
}

const count = (rows: number) => rows.toLocaleString('en')

/** A migration is asked for: its run begins, goes on where it stopped, or is there already. */
import { findJob } from '../enqueue/job-files.ts'
import type { Config } from '../config.ts'
import type { JobEntry } from '../job/manifest.ts'
import type { Ledger } from '../migration/ledger.ts'
import type { MigrationRun } from '../migration/ledger-run.ts'
import { canonical, checksumOf } from '../migration/run-identity.ts'
import type { Enrolment } from '../migration/run-ledger.ts'

export type MigrationEntry = JobEntry & Required<Pick<JobEntry, 'migration'>>

export interface RunRequest {
  /** Checked against the schema already. */
  payload: unknown
  /** Who is written down with it. */
  by: string
  /** Default: those of the file. */
  shards?: number | undefined
  reason?: string | undefined
  /** Also when it has succeeded with these arguments. Default false. */
  again?: boolean | undefined
}

/** Throws JOB_UNKNOWN for a migration that comes before it and has no file: the run would wait for ever. */
export function requirePredecessors(config: Config, { migration: { after = [] } }: MigrationEntry): void {
  for (const other of after) findJob(config, other)
}

/** `entry.queue`: where its parts go. A run that is `new` or `resumed` is still to be rung for. */
export async function enrol(
  ledger: Ledger,
  entry: MigrationEntry,
  { payload, by, shards, reason, again = false }: RunRequest,
): Promise<{ run: MigrationRun; enrolment: Enrolment }> {
  const found = await ledger.runs.enrol({
    name: entry.name,
    args: canonical(payload),
    checksum: checksumOf(entry.file),
    queue: entry.queue,
    shards: shards ?? entry.migration.shards,
    requestedBy: by,
    reason,
    again,
  })
  if (begins(found.enrolment))
    await ledger.runs.note(found.run.id, by, found.enrolment === 'new' ? 'enqueued' : 'resumed')
  return found
}

/** Whether somebody has to plan it. */
export const begins = (enrolment: Enrolment): boolean => enrolment === 'new' || enrolment === 'resumed'

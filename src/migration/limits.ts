/** When a run has failed: too many rows that were stepped over. */
import type { Ledger } from './ledger.ts'
import type { MigrationRun } from './ledger-run.ts'

const LEAST = 100
const SHARE = 0.01

/** Fails the run, if so. */
export async function failIfTooMany({ runs, failures }: Ledger, run: MigrationRun): Promise<boolean> {
  const failed = (await failures.count(run.id)) - run.tolerated
  const allowed = Math.max(LEAST, Math.floor((run.estimate ?? 0) * SHARE))
  if (failed <= allowed) return false
  const error = `${failed.toLocaleString('en')} rows failed, ${allowed.toLocaleString('en')} are allowed`
  return runs.move(run.id, ['running', 'paused'], 'failed', error)
}

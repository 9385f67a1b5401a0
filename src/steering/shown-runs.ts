/** Runs that a view of the fleet shows: those that go on, and those that ended a short while ago. */
import type { Ledger } from '../migration/ledger.ts'
import { isOver, type MigrationRun } from '../migration/ledger-run.ts'

/** Milliseconds that a run which is over is still shown. */
const SHOWN_AFTER = 600_000

export async function shownRuns({ runs }: Ledger): Promise<MigrationRun[]> {
  return (await runs.list()).filter(
    ({ state, finishedAt }) => !isOver(state) || Date.now() - (finishedAt ?? 0) < SHOWN_AFTER,
  )
}

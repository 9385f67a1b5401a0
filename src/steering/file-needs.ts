/** Which stored files runs of migrations still need: their arguments are in a ledger, and in no job. */
import type { Config } from '../config.ts'
import { placesIn } from '../file-ref.ts'
import type { MigrationRun } from '../migration/ledger-run.ts'
import { Ledgers } from './ledgers.ts'

/** Rows that a run has stepped over may be tried again for so long after it has succeeded. */
const AFTER_SUCCESS = 7 * 24 * 3_600_000

/** As a sweep of files asks it. Rejects when a ledger cannot be read: then nobody knows. */
export const neededByRuns =
  (config: Config) =>
  async (places: readonly string[]): Promise<ReadonlySet<string>> => {
    await using ledgers = await Ledgers.open(config)
    const needed = new Set((await ledgers.list()).filter(needsFiles).flatMap(({ args }) => placesIn(args)))
    return new Set(places.filter(place => needed.has(place)))
  }

/** Also one that has failed or was cancelled: enqueued again it goes on. */
function needsFiles({ state, finishedAt }: MigrationRun): boolean {
  return state !== 'succeeded' || finishedAt === null || finishedAt > Date.now() - AFTER_SUCCESS
}

/** The author's `on`: called when the run is over, at least once, since what it does is not in the ledger. */
import { messageOf } from '../errors.ts'
import type { JobContext } from '../job/context.ts'
import type { EndContext, Migration } from './definition.ts'
import type { Ledger } from './ledger.ts'
import { isOver, type MigrationRun } from './ledger-run.ts'
import { rowsOf } from './shard-ledger.ts'

/** How often it is called when it throws. */
const TRIES = 3

/** Rejects with what the author's code threw, to be called again; the third time that is only noted. */
export async function announce(
  { on, args }: Migration,
  { runs, shards, failures }: Ledger,
  run: MigrationRun,
  { enqueue, log, attempt }: Pick<JobContext, 'enqueue' | 'log' | 'attempt'>,
): Promise<void> {
  if (run.announced !== false || !isOver(run.state)) return
  const rows = rowsOf(await shards.list(run.id))
  const failed = await failures.count(run.id)
  const context: EndContext = { run: run.id, args, rows, failed, error: run.error, enqueue, log }
  const name = run.state === 'succeeded' ? 'done' : 'failed'
  try {
    if (run.state !== 'cancelled') await on?.[name]?.(context)
  } catch (error) {
    if (attempt < TRIES) throw error
    await runs.note(run.id, 'runner', `on.${name} threw: ${messageOf(error)}`)
  }
  await runs.announced(run)
}

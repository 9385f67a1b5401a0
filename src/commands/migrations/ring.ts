/** Rings for a part of a run over a connection of its own. `ofFile`: the queue that the file of the migration names. */
import type { Config } from '../../config.ts'
import { openQueue } from '../../enqueue/queue-client.ts'
import type { Part } from '../../job/part.ts'
import type { MigrationRun } from '../../migration/ledger-run.ts'
import { ring as ringOn } from '../../steering/ring.ts'
import type { CliContext } from '../verbs.ts'

export async function ring(
  config: Config,
  run: MigrationRun,
  part: Part['part'],
  context: CliContext,
  ofFile = run.queue,
): Promise<void> {
  await using client = await openQueue(config, { named: run.queue, job: run.name, ofFile }, context)
  await ringOn(client.queue, run, part)
}

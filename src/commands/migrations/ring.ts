/** Puts a part of a run on its queue; while it is there already, nothing happens. `ofFile`: the queue that its file names. */
import type { Config } from '../../config.ts'
import { toJobsOptions } from '../../job/enqueue-options.ts'
import { PART_OPTIONS, partId, partPayload, type Part } from '../../job/part.ts'
import type { MigrationRun } from '../../migration/ledger-run.ts'
import { openQueue } from '../enqueue/queue-client.ts'
import type { CliContext } from '../verbs.ts'

export async function ring(
  config: Config,
  { id: run, name, queue }: MigrationRun,
  part: Part['part'],
  context: CliContext,
  ofFile = queue,
): Promise<void> {
  await using client = await openQueue(config, { named: queue, job: name, ofFile }, context)
  const id = partId({ run, part })
  await client.queue.add(name, partPayload({ run, part }), toJobsOptions(PART_OPTIONS, { id }))
}

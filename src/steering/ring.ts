/** Puts a part of a run on its queue; while it is there already, nothing happens. */
import type { Queue } from 'bullmq'
import { toJobsOptions } from '../job/enqueue-options.ts'
import { PART_OPTIONS, partId, partPayload, type Part } from '../job/part.ts'
import type { MigrationRun } from '../migration/ledger-run.ts'

/** `queue`: that of the run. */
export async function ring(queue: Queue, { id: run, name }: MigrationRun, part: Part['part']): Promise<void> {
  const id = partId({ run, part })
  await queue.add(name, partPayload({ run, part }), toJobsOptions(PART_OPTIONS, { id }))
}

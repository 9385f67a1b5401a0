/** Puts a part of a run on its queue; while it is there already, nothing happens. */
import { Queue } from 'bullmq'
import type { Config } from '../../config.ts'
import { partId, partPayload, type Part } from '../../job/part.ts'
import type { MigrationRun } from '../../migration/ledger-run.ts'
import { openRedis } from '../../redis/connection.ts'
import type { CliContext } from '../verbs.ts'

export async function ring(
  config: Config,
  { id, name, queue }: MigrationRun,
  part: Part['part'],
  context: CliContext,
): Promise<void> {
  await using redis = await openRedis(config, { onMessage: context.note })
  const bell = new Queue(queue, { connection: redis.connect('command'), prefix: redis.prefix })
  bell.on('error', () => undefined)
  await bell.add(name, partPayload({ run: id, part }), {
    jobId: partId({ run: id, part }),
    attempts: Number.MAX_SAFE_INTEGER,
    backoff: { type: 'fixed', delay: 1_000 },
    removeOnComplete: true,
    removeOnFail: true,
  })
}

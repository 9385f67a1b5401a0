/** The verbs that change queues: each is named, has to be there, and says what became of it. */
import type { Queue } from 'bullmq'
import { Inspector } from '../../inspector/inspector.ts'
import { openRedis } from '../../redis/connection.ts'
import type { CliContext } from '../verbs.ts'

/** What was done to one queue, for people and as data. */
export interface Done {
  said: string
  data?: Record<string, unknown>
}

/** `change` is called for each, in order; an error ends the command with those before it done. */
export async function steerQueues(
  context: CliContext,
  names: readonly string[],
  change: (queue: Queue, inspector: Inspector) => Promise<Done>,
): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  await using inspector = new Inspector(redis)
  const lines: string[] = []
  const rows: Record<string, unknown>[] = []
  for (const name of await inspector.choose(names)) {
    const { said, data } = await change(inspector.queue(name), inspector)
    lines.push(`${name}: ${said}`)
    rows.push({ queue: name, ...data })
  }
  context.print(lines.join('\n'), rows)
}

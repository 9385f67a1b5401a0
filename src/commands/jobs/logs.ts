/** `runner jobs logs <id>`: what its handler logged. */
import type { Command } from 'commander'
import { Inspector } from '../../inspector/inspector.ts'
import { openRedis } from '../../redis/connection.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('<id>', 'of the job')
    .option('--queue <name>', 'where more than one queue has a job of this id')
    .action(async (id: string, { queue }: { queue?: string }) => logs(id, queue, context))
  addHelp(
    command,
    [
      ['runner jobs logs 4711', 'of all its attempts, oldest first'],
      ['runner jobs logs 4711 --queue mail -o jsonl'],
    ],
    ['ok', 'usage', 'redis', 'notFound'],
  )
}

async function logs(id: string, given: string | undefined, context: CliContext): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  await using inspector = new Inspector(redis)
  const queue = await inspector.queueOf(id, given === undefined ? [] : [given])
  const lines = await inspector.client.lrange(`${inspector.baseOf(queue)}${id}:logs`, 0, -1)
  if (lines.length === 0) context.note(`job ${id} of queue ${queue} has logged nothing`)
  if (lines.length > 0 || context.format === 'json') context.print(lines.join('\n'), lines)
}

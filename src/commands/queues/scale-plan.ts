/** `runner queues scale-plan`: how many replicas a queue needs, each part of the number, and what would change it. */
import type { Command } from 'commander'
import { Inspector } from '../../inspector/inspector.ts'
import { openRedis } from '../../redis/connection.ts'
import { answerOf } from '../../scaling/answer.ts'
import { ScaleReader } from '../../scaling/reader.ts'
import { addHelp } from '../help.ts'
import { queueConcurrency } from '../queue-concurrency.ts'
import { addSettingFlags } from '../setting-flags.ts'
import type { CliContext } from '../verbs.ts'
import { planText } from './plan-text.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('[queue]', 'default: all queues')
    .action(async (queue: string | undefined) => plan(queue, context))
  addSettingFlags(command, 'scale', 'Options of scaling:')
  addHelp(
    command,
    [
      ['runner queues scale-plan mail', 'the number that runner serve answers, and where it comes from'],
      ['runner queues scale-plan mail --drain-target 30s', 'what it would be'],
      ['runner queues scale-plan -o jsonl | jq .desiredReplicas'],
    ],
    ['ok', 'usage', 'redis', 'notFound'],
  )
}

async function plan(given: string | undefined, context: CliContext): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  await using inspector = new Inspector(redis)
  const queues = await inspector.choose(given === undefined ? [] : [given])
  const reader = new ScaleReader({ redis, config, concurrencyOf: queueConcurrency(config) })
  const estimates = []
  // One after the other: there may be hundreds, and each has its time limit.
  for (const queue of queues) estimates.push(await reader.read(queue))
  if (queues.length === 0) context.note(`there is no queue under the prefix ${redis.prefix}`)
  if (queues.length > 0 || context.format === 'json')
    context.print(estimates.map(planText).join('\n\n'), estimates.map(answerOf))
}

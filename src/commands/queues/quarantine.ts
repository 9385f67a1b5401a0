/** `runner queues quarantine`: the jobs that took executors or replicas down, and what is known of it. */
import type { Command } from 'commander'
import { Quarantine, type Quarantined } from '../../redis/quarantine.ts'
import { openRedis } from '../../redis/connection.ts'
import { Replicas } from '../../redis/replicas.ts'
import { formatMebibytes } from '../../units.ts'
import { addHelp } from '../help.ts'
import { queueDoubt } from '../../enqueue/queue-doubt.ts'
import type { CliContext } from '../verbs.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('[queue]', 'default: all queues')
    .action(async (queue: string | undefined) => list(queue, context))
  addHelp(
    command,
    [
      ['runner queues quarantine', 'which jobs, why, and the stack of the last time'],
      ['runner queues quarantine images --json'],
    ],
    ['ok', 'usage', 'redis'],
  )
}

async function list(queue: string | undefined, context: CliContext): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  const client = redis.connect('command')
  const all = await new Quarantine(client, redis.prefix).list()
  const rows = queue === undefined ? all : all.filter(one => one.queue === queue)
  if (queue !== undefined && rows.length === 0) {
    const live = await new Replicas(client, redis.prefix).list()
    const known = [...all.map(one => one.queue), ...live.flatMap(({ queues }) => Object.keys(queues))]
    const doubt = queueDoubt(queue, known)
    if (doubt !== undefined) context.note(doubt)
  }
  context.print(rows.map(textOf).join('\n') || 'no job is in quarantine', rows)
}

function textOf({ queue, id, job, cause, reason, peakRss, at, stack }: Quarantined): string {
  const head = `${queue}  ${job} ${id}  ${cause}  rss ${formatMebibytes(peakRss)}`
  const lines = [`${head}  ${new Date(at).toISOString()}`, reason]
  // The message of an error may be of several lines, and so is part of its stack.
  if (stack !== undefined) lines.push(...stack.split('\n').filter(line => /^\s+at /.test(line)))
  return lines.map((line, i) => (i === 0 ? line : `  ${line.trim()}`)).join('\n')
}

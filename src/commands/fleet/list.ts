/** `runner fleet list`: the live replicas. */
import type { Command } from 'commander'
import { Operator } from '../../fleet/operator.ts'
import { openRedis } from '../../redis/connection.ts'
import type { Replica } from '../../redis/replicas.ts'
import { textTable } from '../../table.ts'
import { formatMebibytes, formatMilliseconds } from '../../units.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'

const COLUMNS = [
  'REPLICA',
  'VERSION',
  'UP',
  'STATE',
  'QUEUES',
  'JOBS',
  'EXECUTORS',
  'RUNNING',
  'RSS',
  'BLOCKED',
]

export function define(command: Command, context: CliContext): void {
  command.action(async () => list(context))
  addHelp(
    command,
    [
      ['runner fleet list', 'a replica that died is gone from it after 15 s at most'],
      ['runner fleet list -o jsonl | jq -r .id'],
    ],
    ['ok', 'usage', 'redis'],
  )
}

async function list(context: CliContext): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  await using operator = new Operator(redis)
  const replicas = await operator.replicas()
  if (replicas.length === 0) context.note('no replica is live')
  if (replicas.length === 0 && context.format === 'text') return
  context.print(textTable([COLUMNS, ...replicas.map(row)]), replicas)
}

function row(replica: Replica): string[] {
  const { id, version, startedAt, quiet, queues, jobs, executors, isolation, running, rss, blocked } = replica
  return [
    id,
    version,
    formatMilliseconds(Date.now() - startedAt),
    quiet ? 'quiet' : 'working',
    Object.entries(queues)
      .map(([queue, concurrency]) => `${queue}:${concurrency}`)
      .join(' '),
    String(jobs.length),
    `${executors} ${isolation}`,
    String(running),
    formatMebibytes(rss),
    blocked
      .map(({ job, id: of, where, ms }) => `${job ?? 'a job'} ${of ?? ''} ${where} ${formatMilliseconds(ms)}`)
      .join('; '),
  ]
}

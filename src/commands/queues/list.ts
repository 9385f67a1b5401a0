/** `runner queues list`: what waits, what runs, how fast, and how long it will take. */
import type { Command } from 'commander'
import { figuresOf, type QueueFigures } from '../../inspector/figures.ts'
import { Inspector } from '../../inspector/inspector.ts'
import { openRedis } from '../../redis/connection.ts'
import { Replicas } from '../../redis/replicas.ts'
import { textTable } from '../../table.ts'
import { formatMilliseconds } from '../../units.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'

const COLUMNS = [
  'QUEUE',
  'STATE',
  'WAITING',
  'PRIO',
  'ACTIVE',
  'DELAYED',
  'FAILED',
  'REPLICAS',
  'SLOTS',
  'OLDEST',
  'RATE',
  'DRAINED IN',
]

export function define(command: Command, context: CliContext): void {
  command
    .argument('[queue...]', 'default: all queues')
    .action(async (queues: string[]) => list(queues, context))
  addHelp(
    command,
    [
      [
        'runner queues list',
        'OLDEST: how long a job has waited at most; RATE: runs a second, of the last minute',
      ],
      ['runner queues list mail reports --json'],
    ],
    ['ok', 'usage', 'redis', 'notFound'],
  )
}

async function list(given: string[], context: CliContext): Promise<void> {
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  await using inspector = new Inspector(redis)
  const [queues, replicas] = await Promise.all([
    inspector.choose(given),
    new Replicas(inspector.client, redis.prefix).list(),
  ])
  const figures = await figuresOf(inspector, queues, replicas)
  if (figures.length === 0) context.note(`there is no queue under the prefix ${redis.prefix}`)
  if (figures.length > 0 || context.format === 'json')
    context.print(textTable([COLUMNS, ...figures.map(row)]), figures)
}

function row(one: QueueFigures): string[] {
  const {
    queue,
    paused,
    waiting,
    prioritized,
    active,
    delayed,
    failed,
    replicas,
    slots,
    oldest,
    rate,
    drain,
  } = one
  return [
    queue,
    paused ? 'paused' : 'open',
    ...[waiting, prioritized].map(String),
    one.globalConcurrency === null ? String(active) : `${active}/${one.globalConcurrency}`,
    ...[delayed, failed, replicas, slots].map(String),
    oldest === null ? '-' : formatMilliseconds(oldest),
    rate === 0 ? '-' : `${rate}/s`,
    drain === null ? 'unknown' : drain === 0 ? '-' : formatMilliseconds(drain),
  ]
}

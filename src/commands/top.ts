/** `runner top`: the fleet, live on a terminal; elsewhere one frame of text. */
import type { Command } from 'commander'
import { RunnerError } from '../errors.ts'
import { Operator } from '../fleet/operator.ts'
import { Inspector } from '../inspector/inspector.ts'
import { openRedis } from '../redis/connection.ts'
import { durationOption } from '../units.ts'
import { collect } from './collect.ts'
import { addHelp } from './help.ts'
import { Ledgers } from '../steering/ledgers.ts'
import { wholeText } from './top/frame.ts'
import { LiveView } from './top/live-view.ts'
import { Snapshots, type Snapshot } from '../steering/snapshot.ts'
import { firstView } from './top/view.ts'
import type { CliContext } from './verbs.ts'

const INTERVAL = '2s'
/** Milliseconds: what is read more often than that is Redis kept busy. */
const LEAST = 250
/** Columns of a frame that no screen limits. */
const WIDE = 160

interface TopFlags {
  queue?: string[]
  interval: string
}

export function define(command: Command, context: CliContext): void {
  command
    .option('--queue <name>', 'repeatable; default: all queues', collect)
    .option('--interval <time>', 'between two frames', INTERVAL)
    .action(async (flags: TopFlags) => top(flags, context))
  addHelp(
    command,
    [
      ['runner top', 'its last line says what keys do; upper case destroys'],
      ['runner top --queue mail --interval 1s'],
      ['runner top > fleet.txt', 'one frame, where there is no terminal'],
      ['runner top --json | jq .running'],
    ],
    ['ok', 'usage', 'redis', 'notFound'],
  )
}

async function top({ queue = [], interval }: TopFlags, context: CliContext): Promise<void> {
  const every = durationOption('--interval', interval)
  if (every < LEAST)
    throw new RunnerError('USAGE', `--interval: expected at least ${LEAST}ms, got ${interval}`)
  const config = await context.config()
  await using redis = await openRedis(config, { onMessage: context.note })
  await using inspector = new Inspector(redis)
  await using ledgers = await Ledgers.open(config)
  const snapshots = new Snapshots(inspector, ledgers.all, await inspector.given(queue))
  const view = firstView(redis.location)
  const { stdin, stdout } = process
  if (!stdout.isTTY || !stdin.isTTY || context.format !== 'text') {
    const snapshot = await snapshots.take()
    context.print(wholeText(snapshot, view, WIDE), asData(snapshot))
    return
  }
  await using operator = new Operator(redis)
  await new LiveView({
    terminal: { input: stdin, output: stdout },
    view,
    every,
    take: () => snapshots.take(),
    tools: { config, context: { ...context, note: () => undefined }, inspector, operator },
  }).run()
}

function asData({ migrations, ...rest }: Snapshot): unknown {
  return { ...rest, migrations: migrations.map(migration => ({ ...migration, ledger: undefined })) }
}

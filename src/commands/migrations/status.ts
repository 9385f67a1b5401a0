/** `runner migrations status <run>`: how far it is, shard by shard; with --watch as it moves. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { createLogUpdate } from 'log-update'
import { isOver } from '../../migration/ledger-run.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from './ledgers.ts'
import { progressOf, textOf, type RunProgress } from './run-progress.ts'

const LOOK_EVERY = 500

export function define(command: Command, context: CliContext): void {
  command
    .argument(...RUN_ARGUMENT)
    .option('--watch', 'until it is over')
    .action(async (run: string, { watch }: { watch?: boolean }) => status(run, watch === true, context))
  addHelp(
    command,
    [['runner migrations status migrate-users --watch'], ['runner migrations status migrate-users --json']],
    ['ok', 'runtime', 'usage', 'notFound'],
  )
}

async function status(idOrName: string, watch: boolean, context: CliContext): Promise<void> {
  await using ledgers = await Ledgers.open(await context.config())
  const { ledger, run } = await ledgers.find(idOrName)
  let progress = await progressOf(ledger, run.id)
  if (watch && context.format === 'text' && process.stdout.isTTY) {
    const screen = createLogUpdate(process.stdout)
    for (; !isOver(progress.run.state); progress = await next(progress)) screen(textOf(progress))
    screen(textOf(progress))
    screen.done()
    return
  }
  if (watch) for (; !isOver(progress.run.state); progress = await next(progress)) print(progress)
  print(progress)

  async function next(before: RunProgress): Promise<RunProgress> {
    await sleep(LOOK_EVERY)
    return progressOf(ledger, run.id, before)
  }
  function print(now: RunProgress): void {
    context.print(textOf(now), now)
  }
}

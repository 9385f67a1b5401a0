/** `runner migrations status <run>`: how far it is, shard by shard; with --watch as it moves. */
import type { Command } from 'commander'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from '../../steering/ledgers.ts'
import { progressOf, textOf } from '../../steering/run-progress.ts'
import { drawBars, isScreen, looks } from './watch.ts'

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
  if (watch && isScreen(context)) return drawBars(looks(ledger, run.id))
  if (watch) for await (const progress of looks(ledger, run.id)) context.print(textOf(progress), progress)
  else {
    const progress = await progressOf(ledger, run.id)
    context.print(textOf(progress), progress)
  }
}

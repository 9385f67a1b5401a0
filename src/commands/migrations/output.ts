/** `runner migrations output <run>`: what its batches emitted, one JSON value a line. */
import type { Command } from 'commander'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from './ledgers.ts'

export function define(command: Command, context: CliContext): void {
  command.argument(...RUN_ARGUMENT).action(async (run: string) => output(run, context))
  addHelp(command, [['runner migrations output migrate-users']], ['ok', 'runtime', 'usage', 'notFound'])
}

async function output(idOrName: string, context: CliContext): Promise<void> {
  await using ledgers = await Ledgers.open(await context.config())
  const { ledger, run } = await ledgers.find(idOrName)
  const values = await ledger.failures.outputs(run.id)
  context.print(values.map(value => JSON.stringify(value)).join('\n'), values)
}

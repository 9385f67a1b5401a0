/** `runner migrations history <run>`: who did what with it, and when. */
import type { Command } from 'commander'
import { textTable } from '../../table.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from './ledgers.ts'

export function define(command: Command, context: CliContext): void {
  command.argument(...RUN_ARGUMENT).action(async (run: string) => history(run, context))
  addHelp(command, [['runner migrations history migrate-users']], ['ok', 'runtime', 'usage', 'notFound'])
}

async function history(idOrName: string, context: CliContext): Promise<void> {
  await using ledgers = await Ledgers.open(await context.config())
  const { ledger, run } = await ledgers.find(idOrName)
  const notes = await ledger.runs.notes(run.id)
  context.print(textTable(notes.map(({ at, who, what }) => [new Date(at).toISOString(), who, what])), notes)
}

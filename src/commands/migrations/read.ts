/** What `errors`, `history` and `output` have in common: they print something of one run. */
import type { Command } from 'commander'
import type { Ledger } from '../../migration/ledger.ts'
import type { MigrationRun } from '../../migration/ledger-run.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from './ledgers.ts'

/** Data of a run, and the text for people. */
export type Read = (ledger: Ledger, run: MigrationRun) => Promise<{ text: string; data: unknown }>

export function defineRead(
  command: Command,
  context: CliContext,
  examples: Parameters<typeof addHelp>[1],
  read: Read,
): void {
  command.argument(...RUN_ARGUMENT).action(async (idOrName: string) => {
    await using ledgers = await Ledgers.open(await context.config())
    const { ledger, run } = await ledgers.find(idOrName)
    const { text, data } = await read(ledger, run)
    context.print(text, data)
  })
  addHelp(command, examples, ['ok', 'runtime', 'usage', 'notFound'])
}

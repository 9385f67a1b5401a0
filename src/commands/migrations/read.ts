/** What `errors`, `history` and `output` have in common: they print something of one run. */
import type { Command } from 'commander'
import { RunnerError } from '../../errors.ts'
import type { Ledger } from '../../migration/ledger.ts'
import type { MigrationRun } from '../../migration/ledger-run.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from '../../steering/ledgers.ts'

/** Data of a run, the text for people, and the same as records, which --csv prints. */
export type Read = (
  ledger: Ledger,
  run: MigrationRun,
) => Promise<{ text: string; data: unknown; records?: readonly object[] }>

export function defineRead(
  command: Command,
  context: CliContext,
  examples: Parameters<typeof addHelp>[1],
  read: Read,
  { csv: hasCsv = false } = {},
): void {
  command.argument(...RUN_ARGUMENT)
  if (hasCsv) command.option('--csv', 'as CSV, with the names of the fields first')
  command.action(async (idOrName: string, { csv }: { csv?: boolean }) => {
    if (csv === true && context.format !== 'text')
      throw new RunnerError('USAGE', `--csv and --output ${context.format}: expected one of them`)
    await using ledgers = await Ledgers.open(await context.config())
    const { ledger, run } = await ledgers.find(idOrName)
    const { text, data, records = [] } = await read(ledger, run)
    context.print(csv === true ? await asCsv(records) : text, data)
  })
  addHelp(command, examples, ['ok', 'runtime', 'usage', 'notFound'])
}

/** Of all fields that any of them has. What is no text, number or boolean is JSON. */
async function asCsv(records: readonly object[]): Promise<string> {
  const { stringify } = await import('csv-stringify/sync')
  const columns = [...new Set(records.flatMap(record => Object.keys(record)))]
  const cast = { object: (value: object) => JSON.stringify(value), boolean: String }
  return stringify([...records], { header: true, columns, cast }).trimEnd()
}

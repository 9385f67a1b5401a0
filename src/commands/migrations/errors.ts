/** `runner migrations errors <run>`: the rows that it has stepped over. */
import type { Command } from 'commander'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from './ledgers.ts'

export function define(command: Command, context: CliContext): void {
  command.argument(...RUN_ARGUMENT).action(async (run: string) => errors(run, context))
  addHelp(
    command,
    [['runner migrations errors migrate-users'], ['runner migrations errors migrate-users --json']],
    ['ok', 'runtime', 'usage', 'notFound'],
  )
}

async function errors(idOrName: string, context: CliContext): Promise<void> {
  await using ledgers = await Ledgers.open(await context.config())
  const { ledger, run } = await ledgers.find(idOrName)
  const failures = await ledger.failures.list(run.id)
  const lines = failures.map(
    ({ key, error, code }) =>
      `${key.join(',')}  ${code === null ? '' : `${code}: `}${error.split('\n', 1)[0]}`,
  )
  context.print(lines.join('\n') || `run ${run.id} has stepped over no row`, failures)
}

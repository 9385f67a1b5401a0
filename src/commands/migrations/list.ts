/** `runner migrations list`: the runs, newest first. */
import type { Command } from 'commander'
import { textTable } from '../../table.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers } from '../../steering/ledgers.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument('[migration]', 'default: all')
    .action(async (name: string | undefined) => list(name, context))
  addHelp(
    command,
    [['runner migrations list'], ['runner migrations list migrate-users --json']],
    ['ok', 'runtime', 'usage'],
  )
}

async function list(name: string | undefined, context: CliContext): Promise<void> {
  await using ledgers = await Ledgers.open(await context.config())
  const runs = await ledgers.list(name)
  const rows = runs.map(run => [
    run.id,
    run.state,
    new Date(run.createdAt).toISOString(),
    run.requestedBy ?? '',
    run.args,
    run.error ?? run.reason ?? '',
  ])
  const table = textTable([['RUN', 'STATE', 'CREATED', 'BY', 'ARGUMENTS', ''], ...rows])
  context.print(runs.length === 0 ? 'no run yet' : table, runs)
}

/** `runner migrations retry-failed <run>`: after the mending, the rows that were stepped over, and no others. */
import type { Command } from 'commander'
import { userName } from '../user-name.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from '../../steering/ledgers.ts'
import { ring } from './ring.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument(...RUN_ARGUMENT)
    .option('--only-code <code>', 'those that failed with this code, as `migrations errors` shows it')
    .action(async (run: string, { onlyCode }: { onlyCode?: string }) => retryFailed(run, onlyCode, context))
  addHelp(
    command,
    [
      ['runner migrations retry-failed migrate-users'],
      ['runner migrations retry-failed migrate-users --only-code 23505'],
    ],
    ['ok', 'runtime', 'usage', 'redis', 'notFound'],
  )
}

async function retryFailed(idOrName: string, code: string | undefined, context: CliContext): Promise<void> {
  const config = await context.config()
  await using ledgers = await Ledgers.open(config)
  const { ledger, run } = await ledgers.find(idOrName)
  const rows = await ledger.failures.markForRetry(run.id, code)
  if (rows > 0) {
    await ledger.runs.note(run.id, userName(), `retry of ${rows} rows`)
    await ring(config, run, 'retry', context)
  }
  context.print(
    rows === 0
      ? `run ${run.id} has no such row`
      : `${rows.toLocaleString('en')} rows of ${run.id} are tried again`,
    { run: run.id, rows },
  )
}

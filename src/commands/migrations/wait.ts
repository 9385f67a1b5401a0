/** `runner migrations wait <run>`: exit 0 when it has succeeded, 5 when it failed or was cancelled, 7 when it takes longer. */
import type { Command } from 'commander'
import { durationOption } from '../../units.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from '../../steering/ledgers.ts'
import { untilOver } from './until-over.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument(...RUN_ARGUMENT)
    .option('--timeout <time>', 'stop waiting after so long; the run goes on')
    .action(async (run: string, { timeout }: { timeout?: string }) => wait(run, timeout, context))
  addHelp(
    command,
    [['runner migrations wait migrate-users --timeout 30m', 'before the next step of a deployment']],
    ['ok', 'runtime', 'usage', 'jobFailed', 'notFound', 'waitTimeout'],
  )
}

async function wait(idOrName: string, timeout: string | undefined, context: CliContext): Promise<void> {
  const ms = timeout === undefined ? undefined : durationOption('--timeout', timeout)
  await using ledgers = await Ledgers.open(await context.config())
  const { ledger, run } = await ledgers.find(idOrName)
  await untilOver(ledger, run.id, ms, context)
}

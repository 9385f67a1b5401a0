/** `runner migrations set <run>`: what may be changed while it runs, from the next batch on. */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { RunnerError } from '../../errors.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from './ledgers.ts'

export function define(command: Command, context: CliContext): void {
  command
    .argument(...RUN_ARGUMENT)
    .requiredOption('--batch <rows>', 'rows that a batch may have at most; auto: as many as are right')
    .action(async (run: string, { batch }: { batch: string }) => set(run, batch, context))
  addHelp(
    command,
    [
      ['runner migrations set migrate-users --batch 200'],
      ['runner migrations set migrate-users --batch auto'],
    ],
    ['ok', 'runtime', 'usage', 'notFound'],
  )
}

async function set(idOrName: string, batch: string, context: CliContext): Promise<void> {
  const most = readBatch(batch)
  await using ledgers = await Ledgers.open(await context.config())
  const { ledger, run } = await ledgers.find(idOrName)
  await ledger.runs.setBatchMax(run.id, most)
  await ledger.runs.note(run.id, userInfo().username, `set --batch ${batch}`)
  context.print(`batches of ${run.id} have at most ${most ?? 'as many rows as are right'}`, {
    run: run.id,
    batchMax: most,
  })
}

function readBatch(text: string): number | null {
  if (text === 'auto') return null
  const rows = Number(text)
  if (/^\d+$/.test(text) && rows >= 1 && rows <= 10_000) return rows
  throw new RunnerError('USAGE', `--batch: expected 1 to 10000, or auto, got ${JSON.stringify(text)}`)
}

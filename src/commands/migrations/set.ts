/** `runner migrations set <run>`: what may be changed while it runs, from the next batch on. */
import type { Command } from 'commander'
import { RunnerError } from '../../errors.ts'
import { isOver } from '../../migration/ledger-run.ts'
import { durationOption } from '../../units.ts'
import { userName } from '../user-name.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from '../../steering/ledgers.ts'
import { ring } from './ring.ts'

interface SetFlags {
  batch?: string
  shards?: string
  maxLag?: string
}

const MOST = 10_000
const OWN = 'auto'

export function define(command: Command, context: CliContext): void {
  command
    .argument(...RUN_ARGUMENT)
    .option('--batch <rows>', 'rows that a batch may have at most; auto: as many as are right')
    .option('--shards <n>', 'that are open at once, at least: the largest are halved while that is worth it')
    .option(
      '--max-lag <time>',
      'that replicas may be behind, for maxLag() in the file; auto: as the file says',
    )
    .action(async (run: string, flags: SetFlags) => set(run, flags, context))
  addHelp(
    command,
    [
      ['runner migrations set migrate-users --batch 200'],
      ['runner migrations set migrate-users --batch auto --shards 32'],
      ['runner migrations set migrate-users --max-lag 10s'],
    ],
    ['ok', 'runtime', 'usage', 'redis', 'notFound'],
  )
}

async function set(idOrName: string, flags: SetFlags, context: CliContext): Promise<void> {
  const to = changesOf(flags)
  const config = await context.config()
  await using ledgers = await Ledgers.open(config)
  const { ledger, run } = await ledgers.find(idOrName)
  if (isOver(run.state))
    throw new RunnerError('USAGE', `run ${run.id} is ${run.state}: set is for one that goes on`)
  await ledger.runs.set(run.id, to)
  const given = Object.entries({ batch: flags.batch, shards: flags.shards, 'max-lag': flags.maxLag })
    .flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${value}`]))
    .join(' ')
  await ledger.runs.note(run.id, userName(), `set ${given}`)
  // One that is planned has to be cut again.
  if (to.shards !== undefined && run.state !== 'planning') await ring(config, run, 'split', context)
  context.print(`run ${run.id} goes on with ${given}`, { run: run.id, ...to })
}

function changesOf({ batch, shards, maxLag }: SetFlags) {
  if (batch === undefined && shards === undefined && maxLag === undefined)
    throw new RunnerError('USAGE', 'nothing to set', { hint: '--batch, --shards or --max-lag' })
  return {
    ...(batch !== undefined && { batchMax: batch === OWN ? null : count('--batch', batch, `, or ${OWN}`) }),
    ...(shards !== undefined && { shards: count('--shards', shards) }),
    ...(maxLag !== undefined && { maxLag: maxLag === OWN ? null : durationOption('--max-lag', maxLag) }),
  }
}

function count(name: string, text: string, or = ''): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= MOST) return value
  throw new RunnerError('USAGE', `${name}: expected 1 to ${MOST}${or}, got ${JSON.stringify(text)}`)
}

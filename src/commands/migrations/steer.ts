/** What `pause`, `resume` and `cancel` have in common: one run goes from some states to another. */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { RunnerError } from '../../errors.ts'
import type { Part } from '../../job/part.ts'
import type { MigrationRun, RunState } from '../../migration/ledger-run.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { Ledgers, RUN_ARGUMENT } from './ledgers.ts'
import { ring } from './ring.ts'

export interface Move {
  verb: string
  from: readonly RunState[]
  to: RunState
  /** What the replicas are told to do then. */
  rings?: Part['part']
  /** 'run x is paused' */
  done: (run: MigrationRun) => string
}

export function defineMove(command: Command, context: CliContext, move: Move): void {
  command.argument(...RUN_ARGUMENT).action(async (run: string) => steer(run, context, move))
  addHelp(
    command,
    [
      [`runner migrations ${move.verb} migrate-users`],
      [`runner migrations ${move.verb} migrate-users-3f9a2c`],
    ],
    ['ok', 'runtime', 'usage', ...(move.rings === undefined ? [] : (['redis'] as const)), 'notFound'],
  )
}

async function steer(
  idOrName: string,
  context: CliContext,
  { verb, from, to, done, rings }: Move,
): Promise<void> {
  const config = await context.config()
  await using ledgers = await Ledgers.open(config)
  const { ledger, run } = await ledgers.find(idOrName)
  if (!(await ledger.runs.move(run.id, from, to))) {
    const { state } = await ledger.runs.get(run.id)
    throw new RunnerError(
      'USAGE',
      `run ${run.id} is ${state}: ${verb} is for one that is ${from.join(' or ')}`,
    )
  }
  await ledger.runs.note(run.id, userInfo().username, verb)
  if (rings !== undefined) await ring(config, run, rings, context)
  context.print(done(run), { run: run.id, state: to })
}

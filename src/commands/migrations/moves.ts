/** What an operator can do to a run: it goes from some states to another. */
import type { Config } from '../../config.ts'
import { RunnerError } from '../../errors.ts'
import type { Part } from '../../job/part.ts'
import type { Ledger } from '../../migration/ledger.ts'
import type { MigrationRun, RunState } from '../../migration/ledger-run.ts'
import { userName } from '../user-name.ts'
import type { CliContext } from '../verbs.ts'
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

export const PAUSE: Move = {
  verb: 'pause',
  from: ['running'],
  to: 'paused',
  done: ({ id }) => `run ${id} is paused: runner migrations resume ${id}`,
}

export const RESUME: Move = {
  verb: 'resume',
  from: ['paused'],
  to: 'running',
  rings: 'plan',
  done: ({ id }) => `run ${id} goes on`,
}

export const CANCEL: Move = {
  verb: 'cancel',
  from: ['planning', 'running', 'paused', 'verifying'],
  to: 'cancelled',
  done: ({ id, name }) =>
    `run ${id} is cancelled: what is done stays done, runner enqueue ${name} goes on from there`,
}

/** Throws USAGE when the run is in another state by now. */
export async function moveRun(
  { verb, from, to, rings }: Move,
  { ledger, run }: { ledger: Ledger; run: MigrationRun },
  config: Config,
  context: CliContext,
): Promise<void> {
  if (!(await ledger.runs.move(run.id, from, to))) {
    const { state } = await ledger.runs.get(run.id)
    throw new RunnerError(
      'USAGE',
      `run ${run.id} is ${state}: ${verb} is for one that is ${from.join(' or ')}`,
    )
  }
  await ledger.runs.note(run.id, userName(), verb)
  if (rings !== undefined) await ring(config, run, rings, context)
}

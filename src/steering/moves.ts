/** What an operator can do to a run: it goes from some states to another. */
import { RunnerError } from '../errors.ts'
import type { Part } from '../job/part.ts'
import type { Ledger } from '../migration/ledger.ts'
import type { MigrationRun, RunState } from '../migration/ledger-run.ts'

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

export interface MoveTools {
  /** Who is written down with it. */
  by: string
  /** Tells the replicas. */
  ring: (run: MigrationRun, part: Part['part']) => Promise<void>
}

/** Throws USAGE when the run is in another state by now. */
export async function moveRun(
  { verb, from, to, rings }: Move,
  { ledger, run }: { ledger: Ledger; run: MigrationRun },
  { by, ring }: MoveTools,
): Promise<void> {
  if (!(await ledger.runs.move(run.id, from, to))) {
    const { state } = await ledger.runs.get(run.id)
    throw new RunnerError(
      'USAGE',
      `run ${run.id} is ${state}: ${verb} is for one that is ${from.join(' or ')}`,
    )
  }
  await ledger.runs.note(run.id, by, verb)
  if (rings !== undefined) await ring(run, rings)
}

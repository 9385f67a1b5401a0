/**
 * Who pays when an executor dies with runs in it. Pure: exit and runs in, one outcome per run out.
 *
 * 1. The supervisor ended it on purpose: the verdict says which run fails (a timeout), the others are handed back.
 * 2. It could still say in whose async context it died: that run fails, the others are handed back. When that run had
 *    ended before (a timer it left behind), nobody fails, but its job may do so at every run. So the others run alone
 *    from then on, out of its reach: a crash is counted against each, once, which by itself fails no job.
 * 3. It held one run: that one fails.
 * 4. Nobody can tell (out of memory, segfault, SIGKILL from outside): all are handed back, a crash is counted against
 *    each, and each runs alone from then on, so that the next death falls under 3.
 */
import type { ExecutorExit } from './port.ts'
import type { Failure } from './protocol.ts'
import type { Outcome, Run } from './run.ts'

/** Why the supervisor ended an executor. */
export interface Verdict {
  reason: string
  culprit?: { run: Run; failure: Failure }
  /** Nobody can tell whose fault it is: as in 4. */
  suspects?: boolean
}

export interface Judgement {
  run: Run
  outcome: Outcome
  /** It ended the executor: counts towards CrashLoopError. */
  guilty: boolean
}

export function judge(runs: Iterable<Run>, exit: ExecutorExit, verdict: Verdict | undefined): Judgement[] {
  const all = [...runs]
  if (verdict !== undefined) {
    const { culprit, reason, suspects = false } = verdict
    return all.map(run =>
      run === culprit?.run
        ? { run, outcome: { kind: 'failed', failure: culprit.failure }, guilty: false }
        : handBack(run, reason, suspects && !run.alone),
    )
  }
  const named = exit.words?.seq
  const guilty =
    typeof named === 'number' ? all.find(run => run.seq === named) : all.length === 1 ? all[0] : undefined
  return all.map(run =>
    run === guilty
      ? { run, outcome: { kind: 'failed', failure: crash(run, exit) }, guilty: true }
      : handBack(
          run,
          `its executor ${exit.words?.message ?? exit.message}`,
          guilty === undefined && !run.alone,
        ),
  )
}

function handBack(run: Run, reason: string, crashed: boolean): Judgement {
  return { run, outcome: { kind: 'handed-back', reason, crashed }, guilty: false }
}

function crash(run: Run, exit: ExecutorExit): Failure {
  const message = `${run.job.name} ${exit.words?.message ?? `ended its executor, which ${exit.message}`}`
  const failure: Failure = { kind: 'error', name: 'CrashError', code: 'JOB_CRASHED', message }
  if (exit.words?.stack !== undefined) failure.stack = exit.words.stack
  if (exit.cause === 'memory') failure.cause = 'out of memory'
  return failure
}

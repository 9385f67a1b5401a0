/** What is told of an executor that ended. */
import type { ExecutorEndCause, FleetEvents } from '../observe/events.ts'
import type { Judgement, Verdict } from './blame.ts'
import type { Executor } from './executor.ts'
import type { ExecutorExit } from './port.ts'

/** Undefined for one that was ended on purpose and held nothing: that concerns nobody. */
export function executorEnd(
  executor: Executor,
  exit: ExecutorExit,
  verdict: Verdict | undefined,
  judgements: Judgement[],
): FleetEvents['executor.ended'][0] | undefined {
  if (verdict !== undefined && verdict.culprit === undefined && judgements.length === 0) return undefined
  const held = judgements.find(({ run, guilty }) => guilty || run === verdict?.culprit?.run)
  const left = verdict === undefined ? exit.words?.job : undefined
  const culprit = held === undefined ? left : `${held.run.job.name} ${held.run.job.id}`
  return {
    executor: executor.id,
    cause: causeOf(exit, verdict),
    reason: verdict?.reason ?? exit.broken?.message ?? exit.words?.message ?? exit.message,
    ...(culprit === undefined ? {} : { culprit }),
    handedBack: judgements.length - (held === undefined ? 0 : 1),
  }
}

/** By the code that the run fails with for whose sake it was ended. */
const CAUSES: Record<string, ExecutorEndCause> = {
  JOB_TIMEOUT: 'timeout',
  JOB_BLOCKED: 'blocked',
  JOB_CANCELLED: 'cancelled',
}

function causeOf({ cause, words }: ExecutorExit, verdict: Verdict | undefined): ExecutorEndCause {
  if (cause === 'abandoned') return 'abandoned'
  if (verdict !== undefined)
    return verdict.suspects === true ? 'blocked' : (CAUSES[verdict.culprit?.failure.code ?? ''] ?? 'ended')
  return cause === 'memory' ? 'memory' : (words?.cause ?? cause)
}

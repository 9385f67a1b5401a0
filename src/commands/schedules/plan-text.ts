/** A plan, for people and for programs. */
import type { Redaction } from '../../job/redaction.ts'
import { shorten } from '../../job/problem.ts'
import type { Difference, Step } from '../../schedule/plan.ts'
import { textTable } from '../../table.ts'
import { formatMilliseconds } from '../../units.ts'

/** What it is called once it is done. */
export const DONE: Record<Step['action'], string> = {
  create: 'created',
  change: 'changed',
  keep: 'kept',
  orphan: 'removed',
}

/** `prune`: orphans are removed. */
export function planText(steps: readonly Step[], redaction: Redaction, prune: boolean): string {
  if (steps.length === 0) return 'no schedule is declared, and none is in Redis'
  const rows = steps.map(step => {
    const { id, queue } = step.action === 'orphan' ? step.scheduler : step.schedule
    const action = step.action === 'orphan' && prune ? 'remove' : step.action
    return [action, id, queue, whatOf(step, redaction)]
  })
  return `${textTable([['', 'SCHEDULE', 'QUEUE', ''], ...rows])}\n${summaryOf(steps, prune)}`
}

interface StepData {
  action: Step['action']
  id: string
  queue: string
  job: string
  /** File, or the config. */
  from?: string
  differs?: Difference[]
}

export function stepData(step: Step): StepData {
  if (step.action === 'orphan') {
    const { id, queue, job } = step.scheduler
    return { action: step.action, id, queue, job }
  }
  const { id, queue, job, from } = step.schedule
  return {
    action: step.action,
    id,
    queue,
    job,
    from,
    ...(step.action === 'change' ? { differs: step.differs } : {}),
  }
}

/** '0 3 * * * Europe/Berlin', 'every 5m'. */
function timingText({ cron, timezone, every }: { cron?: string; timezone?: string; every?: number }): string {
  if (every !== undefined) return `every ${formatMilliseconds(every)}`
  return [cron ?? '', timezone ?? []].flat().join(' ')
}

function whatOf(step: Step, redaction: Redaction): string {
  if (step.action === 'orphan') return 'no file declares it any more'
  if (step.action === 'change')
    return step.differs.map(({ what, from, to }) => `${what}: ${from} -> ${to}`).join('; ')
  const { args, from } = step.schedule
  const given = shorten(redaction.apply(args))
  return `${timingText(step.schedule)}${given === '{}' ? '' : ` ${given}`}, ${from}`
}

function summaryOf(steps: readonly Step[], prune: boolean): string {
  const of = (action: Step['action']) => steps.filter(step => step.action === action).length
  const kept = `${of('keep')} as declared`
  if (of('keep') === steps.length) return `nothing to do: ${kept}`
  const counts = [`${of('create')} to create`, `${of('change')} to change`, kept]
  if (prune) return [...counts, `${of('orphan')} to remove`].join(', ')
  if (of('orphan') === 0) return counts.join(', ')
  return `${counts.join(', ')}, ${of('orphan')} left over: runner schedules apply --prune removes what no file declares`
}

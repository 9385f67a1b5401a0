/** Queues in which jobs wait and nobody takes them: no live replica and no BullMQ worker, or the queue is paused. */
import { closest } from '../suggestion.ts'
import { formatMilliseconds } from '../units.ts'
import { bad, ok, type Finding, type Judgement } from './finding.ts'
import { isTaken, takersOf, type Survey, type SurveyedQueue, type Takers } from './survey.ts'

const EXPECTED = 'a live replica, or a BullMQ worker'

const UNSEEN: Finding = {
  check: 'CLIENT LIST',
  queue: null,
  ...bad(
    'unknown',
    'connections by name',
    'this user may not list them, or they have no names: BullMQ workers that are no replicas are unseen',
    'ACL SETUSER <name> +client|list',
  ),
}

export function unworkedFindings(survey: Survey): Finding[] {
  const { queues, now } = survey
  const worked = queues.map(({ queue }) => queue).filter(queue => isTaken(takersOf(survey, queue)))
  const findings = queues.flatMap(contents => {
    const { queue } = contents
    const waits = waitOf(contents, now)
    const near = closest(queue, worked)
    return [
      { check: 'workers', queue, ...judgeTakers(contents, takersOf(survey, queue), waits, near) },
      { check: 'paused', queue, ...judgePause(contents, waits) },
    ]
  })
  return survey.workers === undefined ? [UNSEEN, ...findings] : findings
}

function judgeTakers(
  { queue, waiting, due, delayed }: SurveyedQueue,
  takers: Takers,
  waits: string,
  near: string | undefined,
): Judgement {
  const { replicas, quiet, plain } = takers
  const isQuiet = quiet > 0
  const shown = `${count(replicas.length, 'replica')}${isQuiet ? `, ${quiet} quiet` : ''}, ${
    plain === undefined ? 'other workers unseen' : count(plain, 'other worker')
  }`
  const isNameless = replicas.length === quiet && plain === 0 && takers.isHeld
  if (isTaken(takers)) return ok(EXPECTED, isNameless ? `${shown}, but somebody has a job of it` : shown)
  if (waiting + due + delayed === 0) return ok(EXPECTED, `${shown}; no job waits`)
  const fix = isQuiet ? 'CONT to a quiet replica (kill -CONT <pid>), or ' : ''
  const slip = near === undefined ? '' : `; did the producer mean ${near}?`
  // Only a worker moves a delayed job, so these wait too, but for nobody yet. And some worker may just not be seen.
  const level = waiting + due > 0 && plain !== undefined ? 'error' : 'warning'
  return bad(level, EXPECTED, `${shown}; ${waits}`, `${fix}runner work --queue ${queue}${slip}`)
}

function judgePause({ queue, isPaused, waiting, due }: SurveyedQueue, waits: string): Judgement {
  if (!isPaused) return ok('not paused', 'not paused')
  if (waiting + due === 0) return ok('not paused', 'paused, and no job waits')
  return bad('warning', 'not paused', `paused; ${waits}`, `runner queues resume ${queue}`)
}

/** '3 wait, the oldest for 2h'. */
function waitOf({ waiting, due, delayed, sample }: SurveyedQueue, now: number): string {
  const oldest = Math.min(
    ...sample.flatMap(({ state, timestamp }) => (state === 'waiting' ? [timestamp] : [])),
  )
  const age = Number.isFinite(oldest)
    ? `, the oldest for ${formatMilliseconds(Math.max(0, now - oldest))}`
    : ''
  const parts = [
    waiting > 0 && `${waiting} wait${age}`,
    due > 0 && `${due} whose delay is over`,
    delayed > 0 && `${delayed} delayed`,
  ]
  return parts.filter(part => part !== false).join(', ')
}

const count = (amount: number, what: string): string => `${amount} ${what}${amount === 1 ? '' : 's'}`

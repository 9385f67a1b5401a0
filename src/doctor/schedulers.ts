/**
 * Job schedulers whose time has passed. BullMQ makes the next job of a scheduler when a worker takes the current one, so
 * a queue that nobody works, and a job that got lost, end the schedule without a word.
 */
import type { Client } from '../redis/client.ts'
import { formatMilliseconds } from '../units.ts'
import { bad, ok, type Finding, type Judgement } from './finding.ts'
import { adviceOn, handlersOf } from './handlers.ts'
import { isTaken, takersOf, type Survey } from './survey.ts'

/** Milliseconds. */
const LATE = 60_000
/** Of one queue, those that are due first. */
const MOST = 1_000

interface Scheduler {
  id: string
  /** Milliseconds since the epoch. */
  next: number
  /** undefined: a repeatable job of BullMQ 5 or older. */
  job: string | undefined
  /** Its last job was made: it reached its limit or its end. */
  isOver: boolean
  /** The job that waits for its next time is there. */
  hasJob: boolean
}

export async function schedulerFindings(survey: Survey): Promise<Finding[]> {
  const { client, prefix, queues, now } = survey
  const findings = await Promise.all(
    queues.map(async ({ queue, isPaused }) => {
      const schedulers = await readSchedulers(client, prefix, queue, now)
      const known = handlersOf(survey, queue)
      const isWorked = isTaken(takersOf(survey, queue))
      return schedulers.flatMap(scheduler => {
        const late = judgeLateness(scheduler, queue, { now, isPaused, isWorked })
        const unknown = scheduler.job !== undefined && known !== undefined && !known.has(scheduler.job)
        const judgements = unknown
          ? [late, judgeUnhandled(scheduler, adviceOn(scheduler.job ?? '', known, survey.files))]
          : [late]
        return judgements.map(judgement => ({ check: `scheduler ${scheduler.id}`, queue, ...judgement }))
      })
    }),
  )
  return findings.flat()
}

/** Not by BullMQ's Queue, which removes a scheduler that it cannot read. */
async function readSchedulers(
  client: Client,
  prefix: string,
  queue: string,
  now: number,
): Promise<Scheduler[]> {
  const key = `${prefix}:${queue}:repeat`
  const pairs = await client.zrange(key, '0', String(MOST - 1), 'WITHSCORES')
  const entries = pairs.flatMap((id, i) => (i % 2 === 0 ? [[id, Number(pairs[i + 1])] as const] : []))
  const all = await Promise.all(
    entries.map(async ([id, next]) => {
      const [[name, count, limit, end], hasJob] = await Promise.all([
        client.hmget(`${key}:${id}`, 'name', 'ic', 'limit', 'endDate'),
        client.exists(`${key}:${id}:${next}`),
      ])
      const isOver =
        (typeof limit === 'string' && Number(count) >= Number(limit)) ||
        (typeof end === 'string' && Number(end) < now)
      return { id, next, job: name ?? undefined, isOver, hasJob: hasJob === 1 }
    }),
  )
  return all.filter(({ isOver }) => !isOver)
}

interface Circumstances {
  now: number
  isPaused: boolean
  isWorked: boolean
}

function judgeLateness(
  { id, next, job, hasJob }: Scheduler,
  queue: string,
  { now, isPaused, isWorked }: Circumstances,
): Judgement {
  const due = new Date(next).toISOString()
  const expected = 'a next run in the future'
  const late = now - next
  if (late <= LATE) return ok(expected, due)
  const actual = `${due}: ${formatMilliseconds(late)} overdue`
  if (job === undefined)
    return bad(
      'error',
      expected,
      `${actual}; a repeatable job of BullMQ 5, which 6 does not run`,
      'upsertJobScheduler',
    )
  if (!hasJob)
    return bad(
      'error',
      expected,
      `${actual}, and its next job is gone`,
      `upsertJobScheduler('${id}', ...) once more`,
    )
  if (isPaused)
    return bad('error', expected, `${actual}; the queue is paused`, `runner queues resume ${queue}`)
  if (!isWorked)
    return bad('error', expected, `${actual}; nobody works the queue`, `runner work --queue ${queue}`)
  const fix = 'more --concurrency, or more replicas: its job waits behind others'
  return bad('error', expected, `${actual}; its job is not taken`, fix)
}

function judgeUnhandled({ job }: Scheduler, advice: string): Judgement {
  return bad('error', `a replica with a handler named ${job}`, 'none: its jobs fail', advice)
}

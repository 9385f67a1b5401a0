/** What is to be thought of a replica, from what its queues hold and what its workers do. Pure: health.ts looks. */
import type { Backlog } from '../redis/backlog.ts'

/**
 *   starting    it takes no jobs yet
 *   draining    it takes none any more: told to stop, or quiet
 *   redis-down  Redis does not answer, or refuses
 *   wedged      work waits, slots are free, Redis answers, and nothing was fetched for too long: a restart mends it
 *   working     it takes jobs as they come, and some run
 *   saturated   every slot is taken, and more work waits
 *   limited     the queue's own limits hold it, in all replicas together
 *   paused      somebody paused the queue
 *   idle        there is nothing to do
 */
type Verdict =
  | 'starting'
  | 'draining'
  | 'redis-down'
  | 'wedged'
  | 'working'
  | 'saturated'
  | 'limited'
  | 'paused'
  | 'idle'

export interface Judgement {
  verdict: Verdict
  /** In words; empty where the verdict says it all. */
  why: string
  queue?: string
}

export interface QueueFacts {
  queue: string
  backlog: Backlog
  /** Jobs at once, and how many of them there are now. */
  slots: number
  held: number
  /** What Redis said when it refused a fetch just now. */
  refusal?: string | undefined
  /** The worker waits for the end of a rate limit. */
  sleepsForRate: boolean
  /** Milliseconds without a fetch, of those in which there should have been one. */
  stuck: number
}

/** Of several queues, the first of these that one of them has: what wants somebody's eye first. */
const ORDER: readonly Verdict[] = [
  'wedged',
  'redis-down',
  'working',
  'saturated',
  'limited',
  'paused',
  'idle',
]

/** `bound` in milliseconds: beyond it a worker that is stuck is wedged. */
export function judge(queues: readonly QueueFacts[], bound: number): Judgement {
  const all = queues.map(facts => judgeQueue(facts, bound))
  for (const verdict of ORDER) {
    const one = all.find(judged => judged.verdict === verdict)
    if (one !== undefined) return one
  }
  return { verdict: 'idle', why: '' }
}

/** Whether nothing but the worker itself keeps it from taking a job. */
export function shouldFetch({ backlog, slots, held, refusal, sleepsForRate }: QueueFacts): boolean {
  const { waiting, paused, limited } = backlog
  const isHeldBack = paused || limited !== undefined || sleepsForRate || refusal !== undefined
  return waiting > 0 && held < slots && !isHeldBack
}

function judgeQueue(facts: QueueFacts, bound: number): Judgement {
  const { queue, backlog, slots, held, refusal, stuck } = facts
  const { waiting, paused, limited } = backlog
  const of = (verdict: Verdict, why: string): Judgement => ({ verdict, why: `${queue}: ${why}`, queue })
  if (refusal !== undefined) return of('redis-down', `Redis refuses: ${refusal}`)
  if (paused) return of('paused', `paused, ${waiting} wait`)
  if (waiting === 0) return held > 0 ? of('working', `${held} run`) : { verdict: 'idle', why: '' }
  if (held >= slots) return of('saturated', `${waiting} wait, all ${slots} slots are taken`)
  if (limited === 'concurrency')
    return of('limited', `${waiting} wait, as many run in all replicas as the queue lets`)
  if (!shouldFetch(facts)) return of('limited', `${waiting} wait for the rate limit of the queue`)
  if (stuck < bound) return of('working', `${held} run, ${waiting} wait`)
  const seconds = Math.round(stuck / 1_000)
  return of(
    'wedged',
    `${waiting} wait, ${slots - held} of ${slots} slots are free, and nothing was fetched for ${seconds} s`,
  )
}

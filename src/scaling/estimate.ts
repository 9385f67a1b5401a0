/**
 * How many replicas a queue needs, from one look at it. Pure, and without memory: what damps it is the autoscaler's
 * stabilization window, which outlives a restart of whoever computes this.
 *
 *   busy  = active / (0.8 * concurrency)                  what runs, with a fifth of the slots free
 *   drain = runnable * job time / (concurrency * target)  what waits, done within the target
 *   late  = 1 if the oldest job waits longer than it may  nothing above was enough, or the job time is wrong
 *   desired = ceil(busy + drain) + late
 *
 * A backlog alone would not do: a fleet that keeps up has none, is scaled down to its minimum, and has one again.
 * With `busy` a fleet that is full asks for a quarter more each time, however wrong the job time is.
 */
import type { QueueSignal } from '../redis/queue-signal.ts'
import type { ScaleRules } from './rules.ts'

/** Of its slots a replica is to use so many, so that what comes next need not wait for one. */
const UTILISATION = 0.8

export interface ScaleFacts {
  signal: QueueSignal
  rules: ScaleRules
  /** Jobs of this queue at once in one replica, and where that is known from. */
  concurrency: number
  concurrencyFrom: 'replicas' | 'setting'
  /** Mean, in milliseconds. */
  jobTime: number
  jobTimeFrom: 'measured' | 'setting'
  /** Live replicas that take jobs of it. */
  replicas: number
}

export type Limit = 'maxReplicas' | 'globalConcurrency' | 'rateLimit'

export interface Estimate {
  facts: ScaleFacts
  desiredReplicas: number
  /** Jobs that could be run now or within the lead, were there a worker. */
  runnable: number
  /** To start now where a pod takes one job and ends: what it would find to take, and one for jobs whose worker is gone. */
  pods: number
  /** In replicas. */
  terms: { busy: number; drain: number; late: number }
  /** By the terms alone. */
  wanted: number
  /** Beyond which more replicas are of no use, or not wished for. */
  limits: { by: Limit; replicas: number; binds: boolean }[]
  /** Replicas that there are at least: for what runs or waits, or by `minReplicas`. */
  least: number
  /** Milliseconds until nothing waits, by the replicas that there are; null: there are none. */
  drainTime: number | null
}

export function estimate(facts: ScaleFacts): Estimate {
  const { signal, rules, concurrency, jobTime, replicas } = facts
  const { paused, active, oldestAge } = signal
  const runnable = paused ? 0 : signal.waiting + signal.prioritized + signal.dueDelayed
  const isLate = !paused && oldestAge !== null && oldestAge > rules.latencyObjective
  const terms = {
    // Of a paused queue what runs is let run, and no more is to come.
    busy: active / (concurrency * (paused ? 1 : UTILISATION)),
    drain: (runnable * jobTime) / (concurrency * rules.drainTarget),
    late: isLate ? 1 : 0,
  }
  const wanted = up(terms.busy + terms.drain) + terms.late
  const ceilings = limitsOf(facts)
  const allowed = Math.min(wanted, ...ceilings.map(limit => limit.replicas))
  // BullMQ moves delayed jobs only when a worker asks for one, and looks for jobs of dead workers only in live ones.
  const least = Math.max(rules.minReplicas, active + runnable > 0 ? 1 : 0)
  const slots = replicas * concurrency
  return {
    facts,
    desiredReplicas: Math.max(least, allowed),
    runnable,
    pods: podsOf(signal),
    terms,
    wanted,
    limits: ceilings.map(limit => ({
      ...limit,
      binds: wanted > limit.replicas && limit.replicas === allowed,
    })),
    least,
    drainTime: runnable === 0 ? 0 : slots === 0 ? null : Math.round((runnable * jobTime) / slots),
  }
}

/**
 * What runs has its pod, and a delayed job gets one when it is due: a pod that came before would have left again. Who
 * puts back what a lost pod left behind is another pod, and while nothing waits nobody would start one.
 */
function podsOf({
  paused,
  waiting,
  prioritized,
  dueNow,
  active,
  isOrphaned,
  globalConcurrency,
}: QueueSignal): number {
  if (paused) return 0
  const free = globalConcurrency === null ? Infinity : Math.max(0, globalConcurrency - active)
  return Math.min(waiting + prioritized + dueNow, free) + (isOrphaned ? 1 : 0)
}

function limitsOf({
  signal,
  rules,
  concurrency,
  jobTime,
  jobTimeFrom,
}: ScaleFacts): Omit<Estimate['limits'][number], 'binds'>[] {
  const limits: Omit<Estimate['limits'][number], 'binds'>[] = []
  const { globalConcurrency, rateLimit } = signal
  if (rules.maxReplicas !== undefined) limits.push({ by: 'maxReplicas', replicas: rules.maxReplicas })
  if (globalConcurrency !== null)
    limits.push({ by: 'globalConcurrency', replicas: Math.max(1, up(globalConcurrency / concurrency)) })
  // A job time that is only assumed must not hold a fleet back.
  if (rateLimit !== null && jobTimeFrom === 'measured') {
    const atOnce = (rateLimit.max / rateLimit.duration) * jobTime
    limits.push({ by: 'rateLimit', replicas: Math.max(1, up(atOnce / (concurrency * UTILISATION))) })
  }
  return limits
}

/** Of a figure that a sum of fractions left a hair above a whole number, that number. */
const up = (replicas: number): number => Math.ceil(Math.round(replicas * 1e6) / 1e6)

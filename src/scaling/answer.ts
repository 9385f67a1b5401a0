/** An estimate as autoscalers, dashboards and scripts read it: numbers only. */
import type { Estimate, Limit } from './estimate.ts'

/** Times in seconds. */
export interface ScaleAnswer {
  queue: string
  desiredReplicas: number
  /** Jobs that could run now or within the lead: waiting, prioritized and dueDelayed; 0 while it is paused. */
  runnable: number
  /** To start now where each takes one job: without what is due later, and with one for jobs whose worker is gone. */
  pods: number
  waiting: number
  prioritized: number
  active: number
  dueDelayed: number
  /** Until the next delayed job is due; negative: since it was. null: none is delayed. */
  nextDueSeconds: number | null
  /** null: nothing waits. */
  oldestAgeSeconds: number | null
  /** Until nothing waits, by the replicas that there are; null: there are none. */
  drainSeconds: number | null
  paused: boolean
  /** What the number is the sum of, in replicas. */
  terms: { busy: number; drain: number; late: number }
  /** By the terms alone. */
  wanted: number
  limits: { by: Limit; replicas: number; binds: boolean }[]
  least: number
  /** Live replicas that take jobs of it. */
  replicas: number
  /** Jobs at once in one replica. */
  concurrency: number
  concurrencyFrom: 'replicas' | 'setting'
  /** That a job takes, in the mean. */
  jobSeconds: number
  jobSecondsFrom: 'measured' | 'setting'
}

export function answerOf({ facts, terms, ...estimate }: Estimate): ScaleAnswer {
  const { signal, replicas, concurrency, concurrencyFrom, jobTime, jobTimeFrom } = facts
  return {
    queue: signal.queue,
    desiredReplicas: estimate.desiredReplicas,
    runnable: estimate.runnable,
    pods: estimate.pods,
    waiting: signal.waiting,
    prioritized: signal.prioritized,
    active: signal.active,
    dueDelayed: signal.dueDelayed,
    nextDueSeconds: seconds(signal.nextDue),
    oldestAgeSeconds: seconds(signal.oldestAge),
    drainSeconds: seconds(estimate.drainTime),
    paused: signal.paused,
    terms: { busy: rounded(terms.busy), drain: rounded(terms.drain), late: terms.late },
    wanted: estimate.wanted,
    limits: estimate.limits,
    least: estimate.least,
    replicas,
    concurrency: rounded(concurrency),
    concurrencyFrom,
    jobSeconds: rounded(jobTime / 1_000),
    jobSecondsFrom: jobTimeFrom,
  }
}

const rounded = (figure: number): number => Math.round(figure * 1_000) / 1_000

const seconds = (ms: number | null): number | null => (ms === null ? null : rounded(ms / 1_000))

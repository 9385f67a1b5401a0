/** The times that a pod is given, from those that a replica takes. The manifests are made by them and held against them. */

/**
 * What a replica may take beside `--grace`: its handlers, to notice that they were aborted (at least so many seconds),
 * and itself, to hand back what is left and to leave Redis.
 */
const ABORT = 10
const LEAVE = 5
/** A drained node waits no longer for any pod (cluster-autoscaler, --max-graceful-termination-sec). Seconds. */
export const LONGEST_TERMINATION = 600
/** That a pod which is there for one job waits for it, at least. Seconds. */
const IDLE = 30
/** The longest lock that `--lock-duration auto` makes. Milliseconds. */
const LONGEST_AUTO_LOCK = 60_000

/** Seconds, for `terminationGracePeriodSeconds`; of milliseconds. */
export function terminationSeconds(grace: number, abortGrace: number): number {
  return Math.ceil(grace / 1_000) + Math.max(ABORT, Math.ceil(abortGrace / 1_000)) + LEAVE
}

/**
 * Seconds that a pod waits for its one job; of milliseconds. It may be there to put back what a lost pod left behind:
 * the first sweep marks such a job, the second puts it back.
 */
export function idleSeconds({
  lockDuration,
  stalledInterval,
}: {
  lockDuration: number | 'auto'
  stalledInterval: number | undefined
}): number {
  const sweeps = Math.max(lockOf(lockDuration), 2 * (stalledInterval ?? 0))
  return Math.max(IDLE, Math.ceil(sweeps / 1_000))
}

/** Fields of a probe, in seconds. */
export interface ProbeTimes {
  periodSeconds: number
  timeoutSeconds: number
  failureThreshold: number
}

/** What Kubernetes takes where a probe says nothing. */
export const PROBE_DEFAULTS: ProbeTimes = { periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3 }

/** Milliseconds until a pod that does not answer is restarted. */
export function livenessBudget({ periodSeconds, timeoutSeconds, failureThreshold }: ProbeTimes): number {
  return (periodSeconds * failureThreshold + timeoutSeconds) * 1_000
}

/**
 * A pod that is restarted sooner than its locks run out leaves jobs behind that nobody may take yet, and a replica that
 * is slow for as long as its locks hold out has done no harm: so the budget is longer than a lock.
 */
export function livenessTimes(lockDuration: number | 'auto'): ProbeTimes {
  const times = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 7 }
  const lock = lockOf(lockDuration)
  while (livenessBudget(times) <= lock) times.failureThreshold++
  return times
}

/** The longest that a lock may last, in milliseconds. */
export const lockOf = (lockDuration: number | 'auto'): number =>
  lockDuration === 'auto' ? LONGEST_AUTO_LOCK : lockDuration

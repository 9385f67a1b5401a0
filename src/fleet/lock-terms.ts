/**
 * How long the locks of each queue last. Shorter means that the jobs of a killed replica are run again sooner, after
 * one lock duration and one interval of the sweep at most; longer means that a host without CPU, or a Redis that is
 * slow to answer, does not cost a lock: a renewal may be late by half of it.
 *
 * 'auto' makes that half four times the delay that 99.9 % of all renewals keep to, of all replicas and seven days, within
 * bounds. It is looked at again every minute, so a replica that is starved now does not wait for its next start.
 */
import type { Config } from '../config.ts'
import type { Events } from '../observe/events.ts'
import type { Histogram } from '../observe/histogram.ts'
import { DEFAULT_LOCK_DURATION } from '../options.ts'
import { milliseconds } from '../units.ts'
import type { FleetWorker, LockTimes } from './fleet-worker.ts'
import type { Measurements } from './measurements.ts'

/** Of 'auto', in milliseconds; without a measurement it begins with the default. */
const AUTO_BOUNDS = { least: milliseconds('4s'), most: milliseconds('60s') }
export const LOCK_DURATION = milliseconds(DEFAULT_LOCK_DURATION)
/** Of renewals: what they keep to, and how often that fits into the half of a lock that they may be late by. */
export const USUAL = 0.999
const MARGIN = 4
const REVIEW_EVERY = 60_000

export interface LockTermsOptions {
  config: Pick<Config, 'lockDuration' | 'stalledInterval'>
  measurements: Measurements
  events: Events
  onError: (error: unknown) => void
}

export class LockTerms {
  readonly #options: LockTermsOptions
  readonly #workers = new Set<FleetWorker>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: LockTermsOptions) {
    this.#options = options
  }

  /** By what is known now. */
  async of(queue: string): Promise<LockTimes> {
    const { lockDuration: given, stalledInterval } = this.#options.config
    const lockDuration = given === 'auto' ? await this.#suit(queue) : given
    return { lockDuration, stalledInterval: stalledInterval ?? intervalOf(lockDuration) }
  }

  /** Its renewals are measured from now on. */
  follow(worker: FleetWorker): void {
    const { events, measurements } = this.#options
    const { delay, roundTrip } = measurements.of(worker.name)
    worker.onRenewal(renewal => {
      delay.record(renewal.delay)
      if (renewal.roundTrip !== undefined) roundTrip.record(renewal.roundTrip)
      events.emit('locks.renewed', { queue: worker.name, ...renewal })
    })
    if (this.#options.config.lockDuration !== 'auto') return
    this.#workers.add(worker)
    const review = () => void this.#review().catch(this.#options.onError)
    this.#timer ??= setInterval(review, REVIEW_EVERY).unref()
  }

  /** It is gone. */
  forget(worker: FleetWorker): void {
    this.#workers.delete(worker)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #review(): Promise<void> {
    for (const worker of this.#workers) {
      const times = await this.of(worker.name)
      if (times.lockDuration === worker.lockTimes.lockDuration) continue
      worker.lockTimes = times
      this.#options.events.emit('queue.lock-duration', { queue: worker.name, ...times })
    }
  }

  async #suit(queue: string): Promise<number> {
    const { measurements } = this.#options
    const { delay } = await measurements.history(queue)
    // What is on its way to Redis is in neither, or in both: that changes no percentile by a bucket.
    for (const [bucket, count] of measurements.of(queue).delay.pending) delay.add(bucket, count)
    return suitableLockDuration(delay) ?? LOCK_DURATION
  }
}

/** For renewals that were late by so much, in whole seconds within the bounds of 'auto'; undefined before any. */
export function suitableLockDuration(delay: Histogram): number | undefined {
  if (delay.count === 0) return undefined
  const wanted = Math.ceil((2 * MARGIN * delay.percentile(USUAL)) / 1000) * 1000
  return Math.min(AUTO_BOUNDS.most, Math.max(AUTO_BOUNDS.least, wanted))
}

/** Half of a lock: a job that is left behind is found after one and a half of them at most. */
export function intervalOf(lockDuration: number): number {
  return lockDuration / 2
}

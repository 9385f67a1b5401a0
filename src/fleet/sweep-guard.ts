/**
 * When a replica takes part in the sweep of stalled jobs. After an outage of Redis (also one in which it only refused) or
 * a freeze of its own, locks have run out whose holders are alive and about to renew them: it lets pass the longest wait between two attempts to
 * reconnect, for they may be back that much later than we are, and one lock duration, in which they renew.
 *
 * No guarantee against a replica that was started after the outage began, nor in the moment between the question
 * whether Redis answers and the sweep; what is swept wrongly then is reclaimed, unless somebody was faster.
 */

import type { RedisQueueBackend } from 'bullmq'
import { RECONNECT_MAX_MS } from '../redis/client.ts'

/** Of the lock duration: what takes longer is an outage. Locks are renewed when half of their time is left. */
const SHARE = 4

export class SweepGuard {
  readonly #lockDuration: () => number
  readonly #ping: () => Promise<unknown>
  #ticking: NodeJS.Timeout | undefined
  #lastTick = performance.now()
  #quietUntil = 0

  /** `backend` is that of a worker: its sweep is replaced. `lockDuration` in milliseconds, asked anew each time. */
  constructor(backend: RedisQueueBackend, lockDuration: () => number) {
    this.#lockDuration = lockDuration
    // Any command that is answered from one key will do.
    this.#ping = () => backend.getQueueMetaField('paused')
    const sweep = backend.moveStalledJobsToWait.bind(backend)
    backend.moveStalledJobsToWait = async () => ((await this.#allows()) ? sweep() : [])
    this.#arm()
  }

  #arm(): void {
    const onTick = () => {
      this.#tick()
      this.#arm()
    }
    this.#ticking = setTimeout(onTick, this.#lockDuration() / SHARE / 2).unref()
  }

  close(): void {
    clearTimeout(this.#ticking)
  }

  /** Redis refuses, for example to renew locks: as after an outage. Called again at each refusal. */
  postpone(): void {
    this.#quietUntil = performance.now() + RECONNECT_MAX_MS + this.#lockDuration()
  }

  async #allows(): Promise<boolean> {
    // The timer of the sweep may be first after a freeze.
    this.#tick()
    if (performance.now() < this.#quietUntil) return false
    const asked = performance.now()
    await this.#ping()
    this.#tick()
    this.#judge(performance.now() - asked)
    return performance.now() >= this.#quietUntil
  }

  #tick(): void {
    const now = performance.now()
    this.#judge(now - this.#lastTick)
    this.#lastTick = now
  }

  #judge(silence: number): void {
    const lockDuration = this.#lockDuration()
    if (silence > lockDuration / SHARE) this.postpone()
  }
}

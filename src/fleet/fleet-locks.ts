/**
 * Which locks a worker renews. BullMQ keeps them by job id alone and lets go of one after it has fetched the next job.
 * A job that went back to its queue may have been taken by another slot of the same worker by then: letting go of the
 * id would end the renewal of that newer run, and the job would be run twice at once on a healthy host. Here a lock is
 * held by id *and* token: a run lets go of its own and of no other.
 *
 * The timer is BullMQ's, four times in a lock duration, written anew so that it can be measured: a lock is renewed when
 * it is between a quarter and a half of its duration old, so a renewal may be late by another half before it runs out.
 */
import { LockManager } from 'bullmq'
import type { Hold } from '../redis/fence.ts'
import type { FleetJob } from './fleet-job.ts'
import { holdOf } from './run.ts'

export interface Held {
  job: FleetJob
  hold: Hold
}

/** One turn of the timer. Milliseconds. */
export interface Renewal {
  /** How much later than it should the last lock was renewed. */
  delay: number
  /** Of the command, when there was a lock to renew. */
  roundTrip: number | undefined
}

/** Of the timer in one lock duration. */
const TURNS = 4
/** An age that every lock has. */
const ALL = -1

export class FleetLocks extends LockManager {
  onRenewal: ((renewal: Renewal) => void) | undefined
  readonly #jobs = new Map<string, FleetJob>()

  /** Milliseconds. */
  get lockDuration(): number {
    return this.opts.lockDuration
  }

  /**
   * Of all locks from now on. Those that are held are renewed at once, and those that are being taken with the old one
   * when it would have been their turn: the next turn of the new one may be too late for them.
   */
  set lockDuration(ms: number) {
    const turn = this.lockDuration / TURNS
    this.opts.lockDuration = ms
    if (!this.isRunning()) return
    void this.#renew(performance.now(), ALL)
    this.#arm(turn, ALL)
  }

  override start(): void {
    if (!this.closed) this.#arm(this.lockDuration / TURNS)
  }

  /** After `ms` those that are older are renewed. */
  #arm(ms: number, age = ms): void {
    clearTimeout(this.lockRenewalTimer)
    const due = performance.now() + ms
    const renew = () => this.#renew(due, age).finally(() => this.start())
    this.lockRenewalTimer = setTimeout(() => void renew(), ms)
  }

  /** Never rejects: `extendLocks` reports its errors. */
  async #renew(due: number, age: number): Promise<void> {
    const now = Date.now()
    const ids: string[] = []
    for (const [id, held] of this.trackedJobs) {
      if (held.ts + age >= now) continue
      held.ts = now
      ids.push(id)
    }
    const sent = performance.now()
    if (ids.length > 0) await this.extendLocks(ids)
    const answered = performance.now()
    this.onRenewal?.({ delay: answered - due, roundTrip: ids.length > 0 ? answered - sent : undefined })
  }

  /** From now on the lock of this job is renewed. It was taken when the job was fetched. */
  hold(job: FleetJob, token: string): void {
    this.#jobs.set(job.id, job)
    super.trackJob(job.id, token, job.processedOn ?? Date.now())
  }

  /** Whether the run that holds this job is about to move it away. Hot path. */
  leave(id: string, leaving: boolean): void {
    const job = this.#jobs.get(id)
    if (job !== undefined) job.leaving = leaving
  }

  /** The run that holds the lock of this job, if one does. */
  heldBy(id: string): Held | undefined {
    const job = this.#jobs.get(id)
    const token = this.trackedJobs.get(id)?.token
    return job === undefined || token === undefined ? undefined : { job, hold: holdOf(job, token) }
  }

  /** Without effect when another run holds the job by now. */
  release(id: string, token: string): void {
    if (this.trackedJobs.get(id)?.token !== token) return
    super.untrackJob(id)
    this.#jobs.delete(id)
  }

  /** BullMQ's own calls, which know no token, do nothing: `FleetWorker` says when. */
  override trackJob(): undefined {}

  override untrackJob(): void {}
}

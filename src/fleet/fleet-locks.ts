/**
 * Which locks a worker renews. BullMQ keeps them by job id alone and lets go of one after it has fetched the next job.
 * A job that went back to its queue may have been taken by another slot of the same worker by then: letting go of the
 * id would end the renewal of that newer run, and the job would be run twice at once on a healthy host. Here a lock is
 * held by id *and* token: a run lets go of its own and of no other.
 */
import { LockManager } from 'bullmq'
import type { Hold } from '../redis/fence.ts'
import type { FleetJob } from './fleet-job.ts'
import { holdOf } from './run.ts'

export interface Held {
  job: FleetJob
  hold: Hold
}

export class FleetLocks extends LockManager {
  readonly #jobs = new Map<string, FleetJob>()

  /** Milliseconds. */
  get lockDuration(): number {
    return this.opts.lockDuration
  }

  /** From now on the lock of this job is renewed. It was taken when the job was fetched. */
  hold(job: FleetJob, token: string): void {
    this.#jobs.set(job.id, job)
    super.trackJob(job.id, token, job.processedOn ?? 0)
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

/**
 * Which locks a worker renews. BullMQ keeps them by job id alone and lets go of one after it has fetched the next job.
 * A job that went back to its queue may have been taken by another slot of the same worker by then: letting go of the
 * id would end the renewal of that newer run, and the job would be run twice at once on a healthy host. Here a lock is
 * held by id *and* token: a run lets go of its own and of no other.
 */
import { LockManager } from 'bullmq'

export class FleetLocks extends LockManager {
  /** From now on this lock is renewed, `ts` being when it was last taken, in ms since the epoch. */
  hold(id: string, token: string, ts: number): void {
    super.trackJob(id, token, ts)
  }

  /** Without effect when another run holds the job by now. */
  release(id: string, token: string): void {
    if (this.trackedJobs.get(id)?.token === token) super.untrackJob(id)
  }

  /** BullMQ's own calls, which know no token, do nothing: `FleetWorker` says when. */
  override trackJob(): undefined {}

  override untrackJob(): void {}
}

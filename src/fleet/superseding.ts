/** What becomes of a run whose job somebody else has started: it is told at once, and its executor ends if it goes on. */
import type { SupersededError } from '../errors.ts'
import type { Events } from '../observe/events.ts'
import type { FleetJob } from './fleet-job.ts'
import type { Pool } from './pool.ts'
import type { Run } from './run.ts'

/** Milliseconds for a handler that was told. Its executor takes half a second to end: within a second it is gone. */
const GRACE = 500

export class Superseding {
  /** Runs so far that were superseded. */
  count = 0
  readonly #events: Events
  readonly #pool: () => Pool
  readonly #grace: number

  constructor(events: Events, pool: () => Pool, abortGrace: number) {
    this.#events = events
    this.#pool = pool
    this.#grace = Math.min(GRACE, abortGrace)
  }

  /** `run`: undefined when it has ended by itself, and only its outcome was refused. */
  supersede(job: FleetJob, run: Run | undefined, { message }: SupersededError): void {
    // Every write of it is refused, and so is the renewal.
    if (run?.aborted === 'superseded') return
    this.count++
    this.#events.emit('job.superseded', {
      queue: job.queueName,
      job: job.name,
      id: job.id,
      fence: job.attemptsStarted,
      reason: message,
    })
    if (run === undefined) return
    const executor = this.#pool().holderOf(run)
    if (executor === undefined) {
      run.settle({ kind: 'dropped', reason: 'superseded' })
      return
    }
    executor.abort(run, 'superseded', message)
    run.setDeadline(this.#grace, () => {
      run.settle({ kind: 'dropped', reason: 'superseded' })
      void this.#pool().end(executor, { reason: `${run.job.name} did not stop after it was superseded` })
    })
  }
}

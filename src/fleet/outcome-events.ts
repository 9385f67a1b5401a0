/** How runs ended, counted and told. */
import type { Events } from '../observe/events.ts'
import type { Run } from './run.ts'
import { MOVED } from './settlement.ts'

export class OutcomeEvents {
  completed = 0
  failed = 0
  readonly #events: Events

  constructor(events: Events) {
    this.#events = events
  }

  /** Hot path: nothing is made when nobody listens. */
  onCompleted(run: Run): void {
    this.completed++
    if (this.#events.listenerCount('job.completed') === 0) return
    this.#events.emit('job.completed', ended(run))
  }

  /** A job that was moved elsewhere has not failed. */
  onFailed(run: Run, { name, message, code }: Error & { code?: string }): void {
    if (MOVED.has(name)) return
    this.failed++
    this.#events.emit('job.failed', {
      ...ended(run),
      error: message,
      ...(code === undefined ? {} : { code }),
    })
  }
}

function ended({ job, startedAt }: Run) {
  return {
    queue: job.queueName,
    job: job.name,
    id: job.id,
    attempt: job.attemptsMade + 1,
    // Of one that was cancelled before it began.
    ms: startedAt === 0 ? 0 : Date.now() - startedAt,
  }
}

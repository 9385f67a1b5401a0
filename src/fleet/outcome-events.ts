/** How runs ended, counted and told. */
import { UnrecoverableError } from 'bullmq'
import type { Events } from '../observe/events.ts'
import type { Run } from './run.ts'
import { MOVED } from './settlement.ts'

/**
 * Their messages quote, below the first line, what is wrong with a payload. It is kept with the job, where whoever may
 * read payloads finds it; events are for logs.
 */
const QUOTING = new Set(['ARGS_INVALID', 'FLOW_INVALID'])

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
  onFailed(run: Run, error: Error & { code?: string }): void {
    const { name, message, code } = error
    if (MOVED.has(name)) return
    this.failed++
    this.#events.emit('job.failed', {
      ...ended(run),
      error: QUOTING.has(code ?? '') ? firstLine(message) : message,
      ...(code === undefined ? {} : { code }),
      final: error instanceof UnrecoverableError || run.job.attemptsMade + 1 >= (run.job.opts.attempts ?? 1),
    })
  }

  /** Hot path: nothing is made when nobody listens. */
  onStarted({ job, startedAt }: Run): void {
    if (this.#events.listenerCount('run.started') === 0) return
    this.#events.emit('run.started', {
      queue: job.queueName,
      job: job.name,
      // Of a later start Redis does not say since when the job could have been taken.
      wait:
        job.attemptsStarted === 1
          ? Math.max(0, startedAt - job.timestamp - (job.opts.delay ?? 0))
          : undefined,
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

const firstLine = (text: string) => text.split('\n', 1)[0] ?? ''

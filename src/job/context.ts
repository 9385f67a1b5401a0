/** What a handler is given. */
import type { Logger } from 'pino'

/** Options of one enqueued job; each falls back to the option of the same name in the job's file. */
export interface EnqueueOptions {
  /** Custom job id: a second add with the same id is ignored by BullMQ while the first is still kept. */
  id?: string
  queue?: string
  /** Milliseconds, or '5m'. */
  delay?: number | string
  /** 0 (highest, the default) .. 2097151. */
  priority?: number
  attempts?: number
  /** Deduplication id: ignored while a job with the same one is waiting or running. */
  dedupe?: string
}

/** A pino child logger that can also be called with one line, as BullMQ's `job.log(row)`. */
export type JobLog = Logger & ((row: string) => Promise<void>)

/**
 * `Args` is the *output* of the job's schema: defaults filled in, transforms applied. What is stored in Redis
 * is the schema's input, so that the schema is applied exactly once, before the run.
 */
export interface JobContext<Args = unknown> {
  readonly args: Args
  readonly id: string
  readonly name: string
  readonly queue: string
  /** 1 at the first attempt. Grows when a run fails, not when a job is handed back. */
  readonly attempt: number
  /** Grows by one at *every* start of this job. Hand it to what you write to, and let it refuse a smaller one. */
  readonly fence: number
  /** Stable idempotency key of this job: the same at every attempt. */
  readonly key: string
  /** Aborts on timeout, cancel, shutdown deadline and lost lock. `reason` says which. */
  readonly signal: AbortSignal
  /** Lines also go to the job's log in Redis. */
  readonly log: JobLog
  /** Throttled; the last value is always written. Shown by `enqueue --follow`. */
  readonly progress: (done: number, total?: number, note?: string) => void
  /** Adds another job, its payload checked against that job's schema. Returns its id. */
  readonly enqueue: (name: string, args?: unknown, options?: EnqueueOptions) => Promise<string>
  /**
   * Lets the event loop turn if this handler has held it for 10 ms or more, and returns at once if it has not.
   * Rejects with the signal's reason when the run was aborted.
   */
  readonly breathe: () => Promise<void>
}

/** The shape `progress()` stores in Redis. */
export interface Progress {
  done: number
  total?: number
  note?: string
}

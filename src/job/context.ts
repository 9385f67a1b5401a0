/** What a handler is given. */
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { FileRef } from '../file-ref.ts'
import type { Duration } from '../units.ts'
import type { AddedFlow, Child, Flow } from './flow.ts'
import type { Jsonified } from './jsonified.ts'

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

/** One JSON value of the job's own, of at most 1 MiB. Survives retries, crashes and replicas. */
export interface Checkpoint {
  /** What was set last, by this run or an earlier one of this job; null when nothing was. */
  readonly get: <Value = unknown>() => Promise<Value | null>
  /**
   * Resolves when Redis has it. Rejects with CTX_VALUE_INVALID for what is not JSON or too large, and with
   * SupersededError when a later run of this job has started: that one's value stays.
   */
  readonly set: (value: unknown) => Promise<void>
}

export interface ChunksOptions {
  /** Rows that `fn` is given at once. Default 100. */
  size?: number
  /** The event loop turns when it was held for so long. Default 10 ms; 0 is after every chunk. */
  budget?: Duration
  /** Tells two walks of one job apart: each keeps a position of its own. Default 'rows'. */
  name?: string
}

export interface MapOptions {
  /** Calls of `fn` at once. Default 10. */
  concurrency?: number
}

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
   * Adds jobs of which some wait for others: all of them, or none. Resolves with their ids, in the shape of the flow.
   *
   * Rejects with FLOW_INVALID, which lists every fault of the whole flow by its path ('children[2].args.to'), and with
   * FLOW_ID_TAKEN. A run that was started again adds it again: give the root an `id`, and then nothing is added twice.
   */
  readonly flow: (flow: Flow) => Promise<AddedFlow>
  /**
   * The children of this job: those that are done, with what they returned, and those that failed with `onFail`
   * 'ignore' or 'continue', with the reason. In the order of the flow; those whose id was chosen come last, by id.
   * Empty for a job that has none. `Result` is taken on trust.
   */
  readonly children: <Result = unknown>() => Promise<Child<Result>[]>
  /**
   * The bytes of a file of the payload, as a stream with back pressure. It ends only when sha256 and length are those
   * that were stored; else it is destroyed with FILE_CHANGED, so whoever reads it to its end has read what was sent:
   * commit what comes of it after that. Aborts with the signal, whose reason it is then destroyed with.
   *
   * Rejects with FILE_MISSING when it is gone, or in a store that this project does not name. A file stays until no job
   * that refers to it is left in Redis.
   */
  readonly file: (ref: FileRef) => Promise<Readable>
  /**
   * Lets the event loop turn if it was held for 10 ms or more, and returns at once if it was not. All runs of an
   * executor share its loop: those that breathe take turns, one for each turn of the loop.
   * Rejects with the signal's reason when the run was aborted.
   */
  readonly breathe: () => Promise<void>
  readonly checkpoint: Checkpoint
  /**
   * Runs `fn` once per job: the JSON of its result (at most 1 MiB) is kept, and a later call of the same name, in this
   * run or a later one, returns it without `fn`. The first call, too, returns what JSON makes of the result.
   *
   * Not a transaction with the outside world: a crash after `fn` did its work and before Redis has the result runs
   * it again. When `fn` throws, nothing is kept. Rejects with CTX_NAME_TAKEN when a step of this name is running.
   */
  readonly step: <Result>(name: string, fn: () => Result | PromiseLike<Result>) => Promise<Jsonified<Result>>
  /**
   * Walks `source` in order, `size` rows at a time; `from` is the place of the first of them, counted from 0.
   * Resolves with the number of rows done, those of earlier runs included.
   *
   * Between chunks it lets the loop turn, reports progress, and at most every 500 ms, and whenever the walk ends
   * other than by a crash, keeps its position in Redis. A later run skips the rows before that position, so `source`
   * must give the same rows in the same order again. Rows after the position are given to `fn` again: at least once.
   *
   * Rejects with what `fn` or `source` threw; with the signal's reason, after the chunk in progress, though it does
   * not wait for an async source; with SupersededError when a later run of this job has started.
   */
  readonly chunks: <Row>(
    source: Iterable<Row> | AsyncIterable<Row>,
    fn: (rows: Row[], from: number) => unknown,
    options?: ChunksOptions,
  ) => Promise<number>
  /**
   * Calls `fn` for each item, so many at once; results in the order of the items.
   *
   * The first error, or the abort of the signal, starts no more of them; it rejects once those in flight have
   * settled, so that nothing of this run goes on when the next attempt starts. Hand them `signal`.
   */
  readonly map: <Item, Result>(
    items: Iterable<Item>,
    fn: (item: Item, index: number) => Result | PromiseLike<Result>,
    options?: MapOptions,
  ) => Promise<Result[]>
}

/** The shape `progress()` stores in Redis. */
export interface Progress {
  done: number
  total?: number
  note?: string
}

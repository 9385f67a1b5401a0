/**
 * Watches one job until it is over.
 *
 * Events of the queue say at once what happens, but a stream can be trimmed and a connection can drop; so the job
 * itself is looked at every two seconds as well, and whatever is seen first counts. While Redis is away the watch
 * waits for it to come back.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue, QueueEvents } from 'bullmq'
import { RunnerError } from '../errors.ts'
import type { Progress } from '../job/context.ts'

const LOOK_EVERY = 2_000
/** How long events may be behind a look, in milliseconds. */
const EVENTS_BEHIND = 500
/** In a row. */
const FAILED_LOOKS = 5

export type Outcome = { event: 'completed'; result: unknown } | { event: 'failed'; reason: string }

export type JobEvent =
  | { event: 'active'; attempt: number }
  | { event: 'progress'; done: number; total?: number; note?: string }
  | { event: 'log'; line: string }
  | { event: 'stalled' }
  | Outcome

export interface WatchOptions {
  /** Ends the watch: it rejects with the signal's reason. */
  signal: AbortSignal
  /** False when the job was there before, and may have been started before. Default true. */
  isNew?: boolean
  /** Milliseconds between two looks at the job. Default 2,000. */
  lookEvery?: number
  /** Called for everything before the outcome, in order. Absent: only the outcome is looked for. */
  onEvent?: (event: JobEvent) => void
  /** Lines of its log that are known already. Default 0. */
  logsSeen?: number
}

/** Of a `QueueEvents`. */
export type EventSource = Pick<QueueEvents, 'on' | 'run'>

/** Resolves with how job `id` ended. Throws JOB_NOT_FOUND when it was removed before that could be read. */
export async function watchJob(
  queue: Queue,
  events: EventSource,
  id: string,
  options: WatchOptions,
): Promise<Outcome> {
  const watch = new JobWatch(queue, id, options)
  watch.listen(events)
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(options.signal.reason)
  options.signal.addEventListener('abort', abort, { once: true })
  if (options.signal.aborted) abort()
  try {
    const outcome = await Promise.race([
      watch.outcome,
      watch.lookUntilOver(options.lookEvery ?? LOOK_EVERY),
      aborted.promise,
    ])
    await Promise.race([watch.tellRest(), aborted.promise])
    return outcome
  } finally {
    watch.stop()
    options.signal.removeEventListener('abort', abort)
  }
}

class JobWatch {
  readonly #queue: Queue
  readonly #id: string
  readonly #onEvent: WatchOptions['onEvent']
  readonly #stop = new AbortController()
  readonly #outcome = Promise.withResolvers<Outcome>()
  /** Everything told so far, so that what takes a look at Redis first is still told in order. */
  #told: Promise<unknown> = Promise.resolve()
  #logLines: number
  #starts = 0
  readonly #isNew: boolean

  constructor(queue: Queue, id: string, { onEvent, isNew = true, logsSeen = 0 }: WatchOptions) {
    this.#queue = queue
    this.#id = id
    this.#onEvent = onEvent
    this.#isNew = isNew
    this.#logLines = logsSeen
  }

  get outcome(): Promise<Outcome> {
    return this.#outcome.promise
  }

  listen(events: EventSource): void {
    const id = this.#id
    events.on('completed', ({ jobId, returnvalue }) => {
      if (jobId === id) this.#outcome.resolve({ event: 'completed', result: returnvalue as unknown })
    })
    events.on('failed', ({ jobId, failedReason }) => {
      if (jobId === id) this.#outcome.resolve({ event: 'failed', reason: failedReason })
    })
    events.on('active', ({ jobId }) => {
      if (jobId !== id) return
      const start = ++this.#starts
      void this.#inOrder(() => this.#tellAttempt(start))
    })
    events.on('stalled', ({ jobId }) => void (jobId === id && this.#tell({ event: 'stalled' })))
    events.on('progress', ({ jobId, data }) => {
      if (jobId !== id) return
      void this.#inOrder(() => this.#readLog())
      this.#tell(asProgress(data))
    })
    // It ends by an error when the connection is closed for good: at the end of the command.
    events.run().catch(() => {})
  }

  async lookUntilOver(every: number): Promise<Outcome> {
    let missing = 0
    let failures = 0
    for (;;) {
      const seen = await this.#look().catch((error: unknown) => {
        // A failover, say. One that stays is told.
        if (++failures === FAILED_LOOKS) throw error
      })
      if (typeof seen === 'object') return seen
      if (seen !== undefined) failures = 0
      // Removed on completion, perhaps: its event may still be on the way, so one more look.
      if (seen === 'missing' && ++missing === 2) throw this.#gone()
      await this.#inOrder(() => this.#readLog())
      await sleep(every, undefined, { signal: this.#stop.signal }).catch(() => {})
      if (this.#stop.signal.aborted) return this.outcome
    }
  }

  /** The state before the job: a job that is over does not change, one that was read while it ran has no result. */
  async #look(): Promise<Outcome | 'missing' | 'going on'> {
    const state = await this.#queue.getJobState(this.#id)
    const job = await this.#queue.getJob(this.#id)
    if (job === undefined) return 'missing'
    if (state === 'completed') return { event: 'completed', result: job.returnvalue as unknown }
    return state === 'failed' ? { event: 'failed', reason: job.failedReason } : 'going on'
  }

  #gone(): RunnerError {
    return new RunnerError('JOB_NOT_FOUND', `job ${this.#id} is no longer in queue ${this.#queue.name}`, {
      hint: 'it was removed before its outcome could be read; removeOnComplete and removeOnFail keep it',
    })
  }

  /** What came just before the end: events that are still on their way when a look was faster, and log lines. */
  async tellRest(): Promise<void> {
    if (this.#onEvent === undefined) return
    await Promise.race([
      this.outcome,
      sleep(EVENTS_BEHIND, undefined, { signal: this.#stop.signal }).catch(() => {}),
    ])
    await this.#inOrder(() => this.#readLog())
  }

  stop(): void {
    this.#stop.abort()
  }

  #tell(event: JobEvent): void {
    void this.#inOrder(async () => this.#onEvent?.(event))
  }

  #inOrder(tell: () => Promise<void>): Promise<unknown> {
    if (this.#onEvent === undefined) return this.#told
    // A look that failed for want of a connection is made up for by the next one.
    this.#told = this.#told.then(() => (this.#stop.signal.aborted ? undefined : tell())).catch(() => {})
    return this.#told
  }

  /** Read a moment after the start, the job may be further already: the starts seen bound the attempts made. */
  async #tellAttempt(start: number): Promise<void> {
    const job = await this.#queue.getJob(this.#id)
    const attempt = (job?.attemptsMade ?? 0) + (job?.finishedOn === undefined ? 1 : 0)
    this.#onEvent?.({ event: 'active', attempt: this.#isNew ? Math.min(start, attempt) : attempt })
  }

  async #readLog(): Promise<void> {
    const { logs } = await this.#queue.getJobLogs(this.#id, this.#logLines, -1)
    this.#logLines += logs.length
    for (const line of logs) this.#onEvent?.({ event: 'log', line })
  }
}

/** Ours is `Progress`; a plain processor may have given a number, which is percent by custom, or anything. */
function asProgress(data: unknown): JobEvent {
  if (typeof data === 'number') return { event: 'progress', done: data, total: 100 }
  if (isProgress(data)) {
    const { done, total, note } = data
    return {
      event: 'progress',
      done,
      ...(total === undefined ? {} : { total }),
      ...(note === undefined ? {} : { note }),
    }
  }
  return { event: 'progress', done: 0, note: typeof data === 'string' ? data : JSON.stringify(data) }
}

const isProgress = (data: unknown): data is Progress =>
  typeof data === 'object' && data !== null && typeof (data as Progress).done === 'number'

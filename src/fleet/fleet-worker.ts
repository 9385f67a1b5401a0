/**
 * One BullMQ `Worker` per queue. It runs in the supervisor, owns the locks and the outcomes, and hands every job to
 * `process`, which gives it to an executor.
 *
 * BullMQ is used through what it documents as overridable: `createJob` (payload stays text), the backend factory
 * (result stays text), `callProcessJob`, `processJob`. A job that completes, is no job of a scheduler and is not traced
 * takes a short way through the same Redis scripts; everything else, and every failure, goes BullMQ's own way. The short
 * way needs three members that BullMQ does not document; where one is missing, every job goes the long way.
 */
import {
  createRedisBackend,
  ErrorCode,
  WaitingChildrenError,
  WaitingError,
  Worker,
  type Job,
  type JobJson,
  type RedisQueueBackend,
  type WorkerOptions,
} from 'bullmq'
import { SupersededError } from '../errors.ts'
import { Fetching } from './fetching.ts'
import { isRefusal } from '../redis/redis-error.ts'
import { FleetJob, type RawResult } from './fleet-job.ts'
import type { Fence } from '../redis/fence.ts'
import { FleetLocks, type Renewal } from './fleet-locks.ts'
import { LockReclaim, type LockReclaimEvents } from './lock-reclaim.ts'
import type { Replies } from './replies.ts'
import { MOVED } from './settlement.ts'
import { SweepGuard } from './sweep-guard.ts'

export interface FleetWorkerEvents extends LockReclaimEvents {
  process: (job: FleetJob, token: string) => Promise<RawResult>
  /** It is about to fail for what happened before it was fetched. */
  onDeferred: (job: FleetJob) => Promise<void>
}

/** Milliseconds. */
export interface LockTimes {
  lockDuration: number
  /** Between two sweeps. */
  stalledInterval: number
}

type NextJob = [json?: JobJson, id?: string, limitDelay?: number, delayUntil?: number]

/** Members of `Worker` that are private in its types. */
interface Internals {
  updateDelays(limitDelay?: number, delayUntil?: number): void
  drained: boolean
  limitUntil: number
  mainLoopQueue: { add(fetched: Promise<undefined>): void } | null
}

export class FleetWorker extends Worker<unknown, RawResult> {
  readonly #process: FleetWorkerEvents['process']
  readonly #onDeferred: FleetWorkerEvents['onDeferred']
  readonly #short: boolean
  readonly #replies: Replies
  readonly #sweeps: SweepGuard
  readonly #leaving = new AbortController()
  readonly fetching: Fetching

  constructor(
    queue: string,
    events: FleetWorkerEvents,
    fence: Fence,
    replies: Replies,
    options: WorkerOptions,
  ) {
    super(queue, () => Promise.reject(new Error('unused')), { ...options, autorun: false }, rawBackend)
    this.#process = events.process
    this.#onDeferred = events.onDeferred
    this.#replies = replies
    const locks = this.lockManager as FleetLocks
    this.fetching = new Fetching(this.backend, this.#leaving.signal)
    const { denied } = new LockReclaim(this.backend, locks, fence, events, {
      over: this.#leaving.signal,
      onRefusal: error => {
        if (!denied.has(error as Error)) this.fetching.onRefused(error)
        this.emit('error', error as Error)
      },
    })
    this.#sweeps = new SweepGuard(this.backend, () => locks.lockDuration)
    this.on('error', error => {
      // What one job may not do says nothing of the locks of the others.
      if (isRefusal(error) && !denied.has(error)) this.#sweeps.postpone()
    })
    const { updateDelays, drained } = this as unknown as Partial<Internals>
    this.#short =
      typeof updateDelays === 'function' && typeof drained === 'boolean' && options.telemetry === undefined
  }

  /** Jobs whose locks it holds: they run, or their end is being written. */
  get held(): number {
    return this.lockManager.getActiveJobCount()
  }

  /** It takes no job because the queue's rate limit told it to wait. */
  get sleepsForRate(): boolean {
    return ((this as unknown as Partial<Internals>).limitUntil ?? 0) > Date.now()
  }

  get lockTimes(): LockTimes {
    const { lockDuration = 0, stalledInterval = 0 } = this.opts
    return { lockDuration, stalledInterval }
  }

  /** For the jobs that it takes and the locks that it renews from now on, and from the next sweep on. */
  set lockTimes(times: LockTimes) {
    Object.assign(this.opts, times)
    ;(this.lockManager as FleetLocks).lockDuration = times.lockDuration
  }

  /** With all slots taken, BullMQ's loop looks at its concurrency when a job ends: this makes it look now. */
  wake(): void {
    ;(this as unknown as Partial<Internals>).mainLoopQueue?.add(Promise.resolve(undefined))
  }

  onRenewal(listener: (renewal: Renewal) => void): void {
    ;(this.lockManager as FleetLocks).onRenewal = listener
  }

  /** Called by the constructor of BullMQ's class: no field of this one is set yet. */
  protected override createLockManager(): void {
    const { lockRenewTime = 0, lockDuration = 0 } = this.opts
    // BullMQ's own declarations of `trace` do not fit each other.
    const worker = this as unknown as ConstructorParameters<typeof FleetLocks>[0]
    this.lockManager = new FleetLocks(worker, { lockRenewTime, lockDuration, workerId: this.id })
  }

  protected override createJob(json: JobJson, id: string): Job<unknown, RawResult> {
    return FleetJob.read(this, json, id)
  }

  /** BullMQ's way asks here for an outcome; the short way may have it already. */
  protected override callProcessJob(job: Job<unknown, RawResult>, token: string): Promise<RawResult> {
    const fleetJob = job as FleetJob
    const { contextManager } = this.opts.telemetry ?? {}
    // Of the span that BullMQ has just begun. The executor goes on with it.
    if (contextManager !== undefined) fleetJob.trace = contextManager.getMetadata(contextManager.active())
    return fleetJob.outcome ?? this.#process(fleetJob, token)
  }

  override async processJob(
    job: Job<unknown, RawResult>,
    token: string,
    fetchNext: () => boolean = () => true,
  ): Promise<void | Job<unknown, RawResult>> {
    const fleetJob = job as FleetJob
    const locks = this.lockManager as FleetLocks
    locks.hold(fleetJob, token)
    try {
      return await this.#processHeld(fleetJob, token, fetchNext, locks)
    } catch (error) {
      // BullMQ's loop does not outlive a rejection. The job that it is of, this one or the next, is still active, and
      // nobody renews its lock from now on: it is swept, and fails when that happens too often.
      this.emit('error', error as Error)
      return undefined
    } finally {
      // Not before Redis has answered: had it been away, the lock would have had to be renewed meanwhile.
      locks.release(fleetJob.id, token)
    }
  }

  async #processHeld(
    job: FleetJob,
    token: string,
    fetchNext: () => boolean,
    locks: FleetLocks,
  ): Promise<void | Job<unknown, RawResult>> {
    const { maxStartedAttempts } = this.opts
    if (job.deferredFailure !== undefined) await this.#onDeferred(job)
    if (!this.#short || job.deferredFailure !== undefined || maxStartedAttempts !== undefined) {
      return super.processJob(job, token, fetchNext)
    }
    const outcome = this.#process(job, token)
    let next: NextJob
    try {
      const json = (await outcome).json ?? 'null'
      const fetch = fetchNext() && !(this.closing || this.paused)
      next = await this.#replies.await(finish(this.backend, job, json, token, fetch))
    } catch (error) {
      const waits = isPending(error) && (await waitForChildren(job, token))
      // Moved already: its lock is gone, and the job may be held by somebody else while the next one is fetched.
      if (MOVED.has((error as Error).name)) locks.release(job.id, token)
      // BullMQ's way from here: retries by attempts and backoff, control errors, outages. It asks for the outcome again.
      if (waits) job.outcome = rejected(new WaitingChildrenError())
      else
        job.outcome = error instanceof SupersededError ? rejected(new WaitingError(error.message)) : outcome
      return super.processJob(job, token, fetchNext)
    }
    return this.#follow(next, token)
  }

  #follow(
    [json, id, limitDelay, delayUntil]: NextJob,
    token: string,
  ): Promise<Job<unknown, RawResult> | undefined> {
    this.fetching.turns++
    const internals = this as unknown as Internals
    internals.updateDelays(limitDelay, delayUntil)
    // Without a next job both are null, as Redis has it, when the reply says only how long to wait.
    if (!json || !id || json.repeatJobKey !== undefined) {
      return this.nextJobFromJobData(json, id, token)
    }
    internals.drained = false
    const job = this.createJob(json, id)
    job.token = token
    return Promise.resolve(job)
  }

  /**
   * Leaves without taking a job along: the blocking connection is cut first, and the main loop ends before the
   * others close, so that no job is fetched by a worker that is gone. Must be paused and hold no job. `limit`: after so
   * many milliseconds all are closed anyway, for a connection that waits to be made again never says that it was cut.
   */
  async leave(limit: number): Promise<void> {
    this.#leaving.abort()
    this.#sweeps.close()
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, limit)
    try {
      await Promise.race([this.#endLoop(), late.promise])
    } finally {
      clearTimeout(timer)
      await this.close(true)
    }
  }

  async #endLoop(): Promise<void> {
    // An error of a connection that is cut anyway is no reason not to wait for the loop.
    await this.backend.disconnectBlocking(true).catch(() => undefined)
    await this.mainLoopRunning
  }
}

/** An outcome after which, by its name, BullMQ leaves the job alone and takes the next one. */
function rejected(reason: Error): Promise<never> {
  const outcome = Promise.reject(reason)
  outcome.catch(() => undefined)
  return outcome
}

/** The run was done, and Redis refused to complete the job: children of it are not. */
const isPending = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === ErrorCode.JobPendingChildren

/**
 * A parent is run beside its children where one of them failed with `continueParentOnFailure`. BullMQ would fail it when
 * it returns before the others are done; here it waits for them, and is run once more. False: the last one is done.
 */
async function waitForChildren(job: FleetJob, token: string): Promise<boolean> {
  try {
    return await job.moveToWaitingChildren(token)
  } catch {
    // BullMQ's way meets the same, and says it.
    return false
  }
}

/** BullMQ's Redis backend, with results written as the JSON text they already are. */
const rawBackend = (...[name, options, kind]: Parameters<typeof createRedisBackend>): RedisQueueBackend => {
  const backend = createRedisBackend(name, options, kind)
  backend.moveToCompleted = async (job, result, _removeOnComplete, token, fetchNext) => {
    const json = (result as unknown as RawResult).json ?? 'null'
    const next = await finish(backend, job as unknown as FleetJob, json, token, fetchNext)
    return { result: next as never, finishedOn: Date.now() }
  }
  return backend
}

/** Completes a job and takes the next one, in one script. Rejects as BullMQ does, with a code for a lost lock. */
function finish(
  backend: RedisQueueBackend,
  job: FleetJob,
  json: string,
  token: string,
  fetchNext: boolean,
): Promise<NextJob> {
  const keep = job.opts.removeOnComplete as never
  const args = backend.moveToCompletedArgs(job, json, keep, token, fetchNext)
  return backend.moveToFinished(job.id, args) as Promise<NextJob>
}

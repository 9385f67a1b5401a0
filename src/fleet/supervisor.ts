/**
 * One replica. Owns a BullMQ worker per queue, every lock and every outcome, and a pool of executors that run the
 * handlers. It imports no job file, ever, so nothing a handler does can hold up its event loop: locks are renewed,
 * signals are heard and deadlines kept whatever the executors do.
 *
 *   start() -> working <-> quiet -> stop() -> stopped        (stopping.ts)
 */
import { RunnerError, SupersededError } from '../errors.ts'
import type { JobEntry, JobFile, Manifest } from '../job/manifest.ts'
import type { RedisHandle } from '../redis/connection.ts'
import type { EnqueueOptions } from '../job/context.ts'
import type { CheckedFlow } from '../job/flow-check.ts'
import { Blockers } from '../redis/blockers.ts'
import { Fence } from '../redis/fence.ts'
import { Measured } from '../redis/measured.ts'
import type { HandlerVersion } from '../redis/replicas.ts'
import type { Verdict } from './blame.ts'
import { BlockPolicy } from './block-policy.ts'
import { CrashLoop } from './crash-loop.ts'
import { emitError } from './error-events.ts'
import { executorEnd } from './executor-end.ts'
import { executorInit } from './executor-init.ts'
import type { FleetJob, RawResult } from './fleet-job.ts'
import { callJob } from './job-calls.ts'
import { LoopDelay } from './loop-delay.ts'
import { Measurements } from './measurements.ts'
import { OutcomeEvents } from './outcome-events.ts'
import { Pool } from './pool.ts'
import { openProcess } from './process-port.ts'
import { Producer } from './producer.ts'
import { QueueWorkers } from './queue-workers.ts'
import { Rates } from './rates.ts'
import { Registration } from './registration.ts'
import { stateOf, versionsOf } from './replica-state.ts'
import { Replies } from './replies.ts'
import { Run } from './run.ts'
import { Settlement, timedOut } from './settlement.ts'
import { Superseding } from './superseding.ts'
import { within } from './trace.ts'
import type { SupervisorOptions } from './supervisor-options.ts'
import { openThread } from './thread-port.ts'
import { refuseUnknown } from './unknown-job.ts'

export class Supervisor {
  readonly runs = new Set<Run>()
  readonly workers: QueueWorkers
  readonly pool: Pool
  readonly producer: Producer
  readonly blocking: BlockPolicy
  readonly superseding: Superseding
  readonly outcomes: OutcomeEvents
  readonly measurements: Measurements
  readonly rates = new Rates()
  readonly loop = new LoopDelay()
  /** Runs since the start. */
  started = 0
  readonly registration: Registration
  quiet = false
  /** Jobs this replica may start in all. */
  limit = Infinity
  readonly #options: SupervisorOptions
  readonly #crashes: CrashLoop
  readonly #settlement: Settlement
  readonly #fence: Fence
  readonly #client: ReturnType<RedisHandle['connect']>
  #jobs = new Map<string, JobEntry>()
  #handlers: Record<string, HandlerVersion> = {}
  #seq = 0

  constructor(options: SupervisorOptions) {
    this.#options = options
    const { config, redis, events, files, telemetry } = options
    this.#client = redis.connect('fleet')
    const onError = (queue: string, error: unknown) => this.#onError(queue, error)
    const replies = new Replies(() => this.pool.glance())
    this.registration = new Registration(redis, () => stateOf(this, config))
    this.#fence = new Fence(this.#client)
    this.outcomes = new OutcomeEvents(events)
    this.superseding = new Superseding(events, () => this.pool, config.abortGrace)
    this.#crashes = new CrashLoop(this.#client, redis.prefix)
    this.#settlement = new Settlement(this.#crashes, events)
    this.producer = new Producer({ connection: this.#client, prefix: redis.prefix, telemetry }, onError, () =>
      redis.connect('flows'),
    )
    this.measurements = new Measurements(new Measured(this.#client, redis.prefix), error =>
      onError('', error),
    )
    this.pool = new Pool(
      {
        size: config.executors,
        open: config.isolation === 'thread' ? openThread : openProcess,
        openProcess,
        init: executorInit(config, files),
        prefix: redis.prefix,
      },
      {
        onStart: run => this.#onStart(run),
        onProgress: (run, json) => this.#write(run, this.#fence.progress(run.hold, json)),
        onLog: (run, row) => this.#log(run, row),
        onMigrated: ({ job }, told) => events.emit('migration.progressed', { job: job.name, ...told }),
        onLine: options.onLine,
        onCall: (run, method, args, trace) => within(telemetry, trace, () => this.#onCall(run, method, args)),
        isGlanceDue: () => replies.areDue,
        onAbandoned: (executor, abandoned) =>
          events.emit('executor.abandoned', { executor: executor.id, abandoned }),
        onExecutorEnd: (...end) => {
          const told = executorEnd(...end)
          if (told !== undefined) events.emit('executor.ended', told)
        },
      },
    )
    this.blocking = new BlockPolicy({
      config,
      events,
      blockers: new Blockers(this.#client, redis.prefix),
      pool: () => this.pool,
      entryOf: job => this.#jobs.get(job),
      note: (run, row) => this.#log(run, row),
      measurements: this.measurements,
      onError: error => onError('', error),
    })
    this.workers = new QueueWorkers({
      replica: this.registration.id,
      config,
      events,
      client: this.#client,
      prefix: redis.prefix,
      telemetry,
      fence: this.#fence,
      replies,
      measurements: this.measurements,
      handlers: {
        process: (job, token) => this.#process(job, token),
        onSuperseded: (job, error) => this.#onSuperseded(job, error),
        // It fails all the same when that cannot be kept.
        onDeferred: job => this.#crashes.onDeferred(job).catch(error => onError(job.queueName, error)),
      },
      onError,
    })
  }

  /** Jobs that had been started and went back to their queue. */
  get handedBack(): number {
    return this.#settlement.handedBack
  }

  /** It has started all jobs that it may, and only waits for their end. */
  get exhausted(): boolean {
    return this.started >= this.limit
  }

  get jobs(): ReadonlyMap<string, JobEntry> {
    return this.#jobs
  }

  /** What tells the versions of its handlers from those of other replicas. */
  get handlers(): Record<string, HandlerVersion> {
    return this.#handlers
  }

  /** Boots the executors, checks what they loaded, then takes jobs. `queuesOf` decides the queues and their concurrency. */
  async start(queuesOf: (manifest: Manifest) => Record<string, number>): Promise<void> {
    const manifest = await this.pool.boot()
    this.#adopt(manifest)
    const queues = queuesOf(manifest)
    await this.workers.open(queues, manifest)
    const { redis, events, config } = this.#options
    await Promise.all([this.registration.start(), this.blocking.start()])
    this.workers.run(this.quiet)
    events.emit('fleet.started', {
      replica: this.registration.id,
      queues,
      jobs: this.#jobs.size,
      executors: config.executors,
      isolation: config.isolation,
      redis: redis.location,
    })
  }

  /** Takes over what the executors loaded. */
  #adopt(manifest: Manifest): void {
    for (const { file, code, message } of manifest.broken) {
      this.#options.events.emit('job.file-broken', { file, code, message })
    }
    this.#jobs = new Map(manifest.jobs.map(entry => [entry.name, entry]))
    this.#handlers = versionsOf(manifest.jobs)
  }

  /** New executors for new or changed files; what runs goes on in the old ones. */
  async reload(files: JobFile[]): Promise<Manifest> {
    const manifest = await this.pool.replace(files)
    this.#adopt(manifest)
    return manifest
  }

  /** The processor of every queue. Hot path: for a job that runs for the first time it is synchronous up to the executor. */
  async #process(job: FleetJob, token: string): Promise<RawResult> {
    // Started more often than it finished: handed back, snoozed, stalled or crashed. Only then crashes are looked up.
    const again = job.attemptsStarted > job.attemptsMade + 1
    const suspect = again && (await this.#settlement.crashesOf(job, this.#jobs.get(job.name))) > 0
    // After the await: a replica that has begun to stop meanwhile would never start this run.
    if (this.quiet || this.exhausted) {
      return this.#settlement.putBack(job, token, 'the replica takes no more jobs')
    }
    const entry = this.#jobs.get(job.name)
    if (entry === undefined) {
      return refuseUnknown(job, token, [...this.#jobs.keys()], this.registration, this.#options.events)
    }
    if (!job.opts.attempts && entry.attempts !== undefined) job.opts.attempts = entry.attempts
    if (job.opts.backoff === undefined && entry.backoff !== undefined) job.opts.backoff = entry.backoff

    const { promise, resolve } = Promise.withResolvers<Parameters<Run['settle']>[0]>()
    const known = this.blocking.placementOf(job.name)
    const placement = known === 'shared' && suspect ? 'solo' : known
    const run = new Run(++this.#seq, job, token, entry, placement, resolve)
    this.runs.add(run)
    if (++this.started === this.limit) void this.workers.pause()
    this.pool.dispatch(run)
    try {
      const result = await this.#settlement.settle(run, await promise)
      this.outcomes.onCompleted(run)
      return result
    } catch (error) {
      this.outcomes.onFailed(run, error as Error & { code?: string })
      throw error
    } finally {
      this.runs.delete(run)
      this.rates.count(job.queueName)
      if (run.startedAt > 0) this.measurements.of(job.queueName).run.record(Date.now() - run.startedAt)
      this.#options.events.emit('run.ended', this.runs.size)
    }
  }

  #onStart(run: Run): void {
    this.outcomes.onStarted(run)
    const { timeout } = run.entry
    if (timeout !== undefined) run.setDeadline(timeout, () => this.#onTimeout(run, timeout))
  }

  #onTimeout(run: Run, timeout: number): void {
    const executor = this.pool.holderOf(run)
    if (executor === undefined) return
    const { queueName: queue, name: job, id } = run.job
    this.#options.events.emit('job.timed-out', { queue, job, id, timeout })
    executor.abort(run, 'timeout', `timeout of ${timeout} ms`)
    const verdict: Verdict = {
      reason: `${run.job.name} did not stop after its timeout`,
      culprit: { run, failure: timedOut(run) },
    }
    run.setDeadline(this.#options.config.abortGrace, () => void this.pool.end(executor, verdict))
  }

  #onCall(run: Run, method: string, args: unknown[]): Promise<unknown> {
    if (method !== 'enqueue' && method !== 'flow') {
      const answer = callJob(run, this.#fence, method, args)
      answer.catch((error: unknown) => this.#onRefused(run, error))
      return answer
    }
    if (method === 'flow') return this.producer.flows.add(args[0] as CheckedFlow, name => this.#entryOf(name))
    const [name, json, options] = args as [string, string, EnqueueOptions]
    return this.producer.add(this.#entryOf(name), json, options)
  }

  #entryOf(name: string): JobEntry {
    const entry = this.#jobs.get(name)
    if (entry === undefined) throw new RunnerError('JOB_UNKNOWN', `no job is named ${name}`)
    return entry
  }

  #log(run: Run, row: string): void {
    this.#write(run, this.#fence.log(run.hold, row, run.job.opts.keepLogs))
  }

  /** A write beside the outcome: one that fails is reported, and the run goes on. */
  #write(run: Run, writing: Promise<unknown>): void {
    writing.catch((error: unknown) => {
      if (!this.#onRefused(run, error)) this.#onError(run.job.queueName, error)
    })
  }

  #onRefused(run: Run, error: unknown): boolean {
    if (!(error instanceof SupersededError)) return false
    if (!run.settled) this.superseding.supersede(run.job, run, error)
    return true
  }

  #onSuperseded(job: FleetJob, error: SupersededError): void {
    const run = [...this.runs].find(one => one.job === job)
    this.superseding.supersede(job, run, error)
  }

  #onError(queue: string, error: unknown): void {
    emitError(this.#options.events, queue, error)
  }
}

/**
 * What becomes of a block: it is reported, its job runs in solo executors from then on, and at the limit its executor
 * is ended and its run fails. Where the job cannot be told (native code, several runs) all runs go back and each is
 * tried alone.
 */
import type { Config } from '../config.ts'
import type { JobEntry } from '../job/manifest.ts'
import type { Events } from '../observe/events.ts'
import type { Blocker, Blockers } from '../redis/blockers.ts'
import { formatMilliseconds } from '../units.ts'
import type { Block } from './block.ts'
import type { Measurements } from './measurements.ts'
import type { Pool } from './pool.ts'
import type { Placement, Run } from './run.ts'
import { Watchdog } from './watchdog.ts'

/** How often what other replicas caught, and what was pardoned, is read. Milliseconds. */
const LEARN_EVERY = 5_000

export interface BlockPolicyOptions {
  config: Config
  events: Events
  blockers: Blockers
  pool: () => Pool
  measurements: Measurements
  entryOf: (job: string) => JobEntry | undefined
  /** Adds a line to the job's own log. */
  note: (run: Run, row: string) => void
  onError: (error: unknown) => void
}

export class BlockPolicy {
  readonly #options: BlockPolicyOptions
  readonly #watchdog: Watchdog
  #known = new Map<string, Blocker>()
  readonly #writing = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: BlockPolicyOptions) {
    this.#options = options
    const { config, events, pool } = options
    this.#watchdog = new Watchdog({
      executors: () => pool().executors,
      warn: config.blockWarn,
      limitOf: block => this.#limitOf(block),
      onBlocked: (block, ms) => this.#onBlocked(block, ms),
      onOver: (block, ms) => this.#onOver(block, ms),
      onLimit: (block, limit) => this.#onLimit(block, limit),
      onTurn: ms => events.emit('executor.turned', ms),
      onRecovered: () => pool().assign(),
    })
  }

  /** Resolves when it is known what blocked in earlier runs of the fleet. */
  async start(): Promise<void> {
    this.#watchdog.start()
    await this.#learn()
    this.#timer = setInterval(() => void this.#learn().catch(this.#options.onError), LEARN_EVERY)
    this.#timer.unref()
  }

  stop(): void {
    this.#watchdog.stop()
    clearInterval(this.#timer)
  }

  /** What holds event loops just now. */
  get blocks(): Block[] {
    return this.#watchdog.blocks.filter(({ reported }) => reported)
  }

  /** Hot path. */
  placementOf(job: string): Placement {
    const blocker = this.#known.get(job)
    if (blocker === undefined) return 'shared'
    return blocker.native ? 'solo-process' : 'solo'
  }

  async #learn(): Promise<void> {
    const known = await this.#options.blockers.list()
    const before = this.#known
    // What is on its way to Redis was not there yet when this was read.
    for (const job of this.#writing) {
      const blocker = before.get(job)
      if (blocker !== undefined) known.set(job, blocker)
    }
    this.#known = known
    for (const [job, blocker] of this.#known) if (!before.has(job)) this.#tellSolo(blocker)
    for (const job of before.keys()) {
      if (!this.#known.has(job)) this.#options.events.emit('job.pardoned', { job })
    }
  }

  #tellSolo({ job, where, ms }: Blocker): void {
    if (this.#options.entryOf(job) === undefined) return
    const hint = `runs alone from now on; once it is mended: runner fleet pardon ${job}`
    this.#options.events.emit('job.solo', { job, where, ms, hint })
  }

  #limitOf(block: Block): number | false {
    const { config, entryOf } = this.#options
    const of = (job: string) => entryOf(job)?.block?.limit ?? config.blockLimit
    if (block.job !== undefined) return of(block.job.name)
    // Nobody is ended before the time that its own job allows.
    const limits = [...block.executor.runs.values()].map(run => of(run.job.name))
    return limits.reduce<number | false>(
      (most, limit) => (most === false || limit === false ? false : Math.max(most, limit)),
      limits.length === 0 ? config.blockLimit : 0,
    )
  }

  #onBlocked(block: Block, ms: number): void {
    const { events, note } = this.#options
    const { job, run, where, stack } = block
    events.emit('job.blocked', {
      ...(job === undefined
        ? { candidates: candidatesOf(block) }
        : { queue: job.queue, job: job.name, id: job.id }),
      executor: block.executor.id,
      ms: Math.round(ms),
      where,
      ...(stack === undefined ? {} : { stack }),
      ...(block.plainWorkerLost ? { note: 'a plain BullMQ worker would have lost this job by now' } : {}),
    })
    if (run !== undefined) note(run, `held the event loop for ${formatMilliseconds(ms)} so far, ${where}`)
    if (job !== undefined) this.#remember(job.name, block, ms)
  }

  #onOver(block: Block, ms: number): void {
    const { job, where } = block
    if (job === undefined || !block.reported) return
    this.#options.measurements.of(job.queue).block.record(ms)
    this.#options.events.emit('job.unblocked', {
      queue: job.queue,
      job: job.name,
      id: job.id,
      executor: block.executor.id,
      ms: Math.round(ms),
    })
    this.#remember(job.name, block, ms)
    if (block.run !== undefined)
      this.#options.note(block.run, `held the event loop for ${formatMilliseconds(ms)}, ${where}`)
  }

  #remember(job: string, block: Block, ms: number): void {
    const known = this.#known.get(job)
    // What blocked in native code once may do so again, also when it was caught outside of it this time.
    const native = block.native || known?.native === true
    if (known !== undefined && known.native === native && known.ms >= ms) return
    const blocker: Blocker = { job, where: block.where, ms: Math.round(ms), native, at: Date.now() }
    this.#known.set(job, blocker)
    if (known === undefined) this.#tellSolo(blocker)
    this.#writing.add(job)
    this.#options.blockers
      .remember(blocker)
      .catch(this.#options.onError)
      .finally(() => this.#writing.delete(job))
  }

  #onLimit(block: Block, limit: number): void {
    const { run, executor, job, where } = block
    if (job !== undefined) this.#options.measurements.of(job.queue).block.record(limit)
    const who = job?.name ?? `one of ${candidatesOf(block).join(', ')}`
    const reason = `${who} held the event loop longer than ${formatMilliseconds(limit)}, ${where}`
    void this.#options
      .pool()
      .end(
        executor,
        run === undefined
          ? { reason, suspects: job === undefined }
          : { reason, culprit: { run, failure: block.failure(limit) } },
      )
  }
}

function candidatesOf({ executor }: Block): string[] {
  return [...executor.runs.values()].map(({ job }) => `${job.name} ${job.id}`)
}

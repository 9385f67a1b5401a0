/**
 * The executors of one replica: a fixed number that share all runs, least loaded first, and as many again at most
 * that run one suspect each. A dead executor is replaced at once; one that dies while it boots, after a growing pause,
 * or, as long as none has ever been ready, at once and without the file that it died of.
 */
import { RunnerError } from '../errors.ts'
import type { BrokenFile, JobFile, Manifest } from '../job/manifest.ts'
import { judge, type Judgement, type Verdict } from './blame.ts'
import { Executor, type ExecutorEvents } from './executor.ts'
import type { ExecutorExit, ExecutorInit, OpenPort } from './port.ts'
import type { Placement, Run } from './run.ts'
import { SoloExecutors } from './solo.ts'

const RESPAWN_FIRST = 100
const RESPAWN_MOST = 5_000
/** Boots that may fail in a row before any has succeeded. */
const BOOT_TRIES = 3

export interface PoolOptions {
  size: number
  open: OpenPort
  /** Opens executors for what only the end of a process stops. Default: `open`. */
  openProcess?: OpenPort
  init: ExecutorInit
  prefix: string
}

export interface PoolEvents extends Pick<
  ExecutorEvents,
  'onProgress' | 'onLog' | 'onMigrated' | 'onLine' | 'onCall' | 'isGlanceDue'
> {
  onStart(run: Run): void
  /** So many executors do not end: they are inside native code. */
  onAbandoned(executor: Executor, abandoned: number): void
  onExecutorEnd(
    executor: Executor,
    exit: ExecutorExit,
    verdict: Verdict | undefined,
    judgements: Judgement[],
  ): void
}

export class Pool {
  readonly #options: PoolOptions
  readonly #events: PoolEvents
  readonly #shared = new Set<Executor>()
  readonly #solo: SoloExecutors
  readonly #verdicts = new Map<Executor, Verdict>()
  readonly #waiting: Run[] = []
  readonly #abandoned = new Set<Executor>()
  readonly #booted = Promise.withResolvers<Manifest>()
  #lastId = 0
  #failedBoots = 0
  #everReady = false
  #closing = false

  constructor(options: PoolOptions, events: PoolEvents) {
    this.#options = options
    this.#events = events
    this.#solo = new SoloExecutors({
      most: options.size,
      spawn: placement => this.#spawn(this.#booted, placement),
      start: (executor, run) => this.#start(executor, run),
      retire: executor => this.#retire(executor),
    })
  }

  /** Starts all executors; resolves with what the first one that is ready has loaded. */
  boot(): Promise<Manifest> {
    for (let i = 0; i < this.#options.size; i++) this.#spawnShared()
    return this.#booted.promise
  }

  get executors(): Executor[] {
    return [...this.#shared, ...this.#solo.executors]
  }

  /** Executors inside native code that were given up. */
  get abandoned(): number {
    return this.#abandoned.size
  }

  /** Threads that have not ended although they should have: a process that exits waits for them. */
  get lingering(): number {
    return this.executors.length + this.#abandoned.size
  }

  dispatch(run: Run): void {
    // It lost its lock while it waited: another replica may run it by now.
    if (run.settled) return
    if (run.alone) {
      this.#solo.dispatch(run)
      return
    }
    let best: Executor | undefined
    for (const executor of this.#shared) {
      if (executor.state !== 'ready' || executor.retired || executor.late) continue
      if (best === undefined || executor.runs.size < best.runs.size) best = executor
    }
    if (best === undefined) this.#waiting.push(run)
    else this.#start(best, run)
  }

  /** Gives what waits to executors that are free by now. */
  assign(): void {
    for (const run of this.#waiting.splice(0)) this.dispatch(run)
    this.#solo.assign()
  }

  /** Takes what the executors have said so far. */
  glance(): void {
    for (const executor of this.#shared) executor.glance()
    for (const executor of this.#solo.executors) executor.glance()
  }

  /** The executor that holds this run, if it has started. */
  holderOf(run: Run): Executor | undefined {
    return this.executors.find(executor => executor.runs.has(run.seq))
  }

  /** Ends an executor on purpose; its runs are settled by the verdict once it is gone. */
  async end(executor: Executor, verdict: Verdict): Promise<void> {
    if (executor.state === 'ended') return
    if (!this.#verdicts.has(executor)) this.#verdicts.set(executor, verdict)
    await executor.end()
  }

  /**
   * New executors for new or changed files; the present ones finish what they hold. Resolves with the new manifest.
   * Rejects when a new one dies while it boots: then the present ones go on as if nothing had been asked.
   */
  async replace(files: JobFile[]): Promise<Manifest> {
    if (this.#closing) throw new RunnerError('EXECUTOR_BOOT_FAILED', 'the replica is stopping')
    const before = this.#options.init
    this.#options.init = { ...before, files, broken: [] }
    const old = [...this.#shared]
    const ready = Promise.withResolvers<Manifest>()
    const fresh = Array.from({ length: this.#options.size }, () => this.#spawnShared(ready))
    try {
      const manifest = await ready.promise
      for (const executor of [...old, ...this.#solo.executors]) this.#retire(executor)
      return manifest
    } catch (error) {
      if (this.#options.init.files === files) this.#options.init = before
      for (const executor of fresh) this.#retire(executor)
      throw error
    } finally {
      this.#refill()
    }
  }

  /**
   * A new executor for this one, which takes runs until the new one is ready, finishes what it holds and ends; a solo one
   * only ends. Resolves when the new one is there: true; false when it did not boot, and the present one goes on.
   */
  async recycle(executor: Executor): Promise<boolean> {
    if (this.#shared.has(executor)) {
      const ready = Promise.withResolvers<Manifest>()
      this.#spawnShared(ready)
      try {
        await ready.promise
      } catch {
        return false
      }
    }
    this.#retire(executor)
    // Another one may have died while there was one more than there should be.
    this.#refill()
    return true
  }

  /** Ends every executor, and gives back the runs that never started. */
  async close(reason: string): Promise<void> {
    this.#closing = true
    for (const run of [...this.#waiting.splice(0), ...this.#solo.close()]) {
      run.settle({ kind: 'handed-back', reason, crashed: false })
    }
    await Promise.all(this.executors.map(executor => this.end(executor, { reason })))
  }

  #spawnShared(ready = this.#booted): Executor {
    const executor = this.#spawn(ready)
    this.#shared.add(executor)
    return executor
  }

  #spawn(ready = this.#booted, placement: Placement = 'shared'): Executor {
    const { open, openProcess = open, init } = this.#options
    return new Executor(++this.#lastId, placement === 'solo-process' ? openProcess : open, init, {
      onProgress: this.#events.onProgress,
      onLog: this.#events.onLog,
      onMigrated: this.#events.onMigrated,
      onLine: this.#events.onLine,
      onCall: this.#events.onCall,
      isGlanceDue: this.#events.isGlanceDue,
      onReady: (_ready, manifest) => this.#onReady(manifest, ready),
      onIdle: idle => this.#onIdle(idle),
      onAbandoned: (stuck, gone) => this.#onAbandoned(stuck, gone),
      onExit: (dead, exit) => {
        // Without effect once one was ready. A first boot may be tried again.
        if (ready !== this.#booted) ready.reject(bootFailed(exit))
        this.#onExit(dead, exit)
      },
    })
  }

  #onReady(manifest: Manifest, ready: PromiseWithResolvers<Manifest>): void {
    this.#everReady = true
    this.#failedBoots = 0
    ready.resolve(manifest)
    this.assign()
  }

  #start(executor: Executor, run: Run): void {
    executor.start(run, this.#options.prefix)
    this.#events.onStart(run)
  }

  #onAbandoned(executor: Executor, gone: Promise<void>): void {
    this.#abandoned.add(executor)
    void gone.finally(() => this.#abandoned.delete(executor))
    this.#events.onAbandoned(executor, this.#abandoned.size)
  }

  #retire(executor: Executor): void {
    executor.retired = true
    if (executor.runs.size === 0) void this.end(executor, { reason: 'replaced' })
  }

  #onIdle(executor: Executor): void {
    if (executor.retired) void this.end(executor, { reason: 'replaced' })
    else if (this.#solo.has(executor)) this.#solo.onIdle(executor)
  }

  #onExit(executor: Executor, exit: ExecutorExit): void {
    const shared = this.#shared.delete(executor)
    this.#solo.onExit(executor)
    const verdict = this.#verdicts.get(executor)
    this.#verdicts.delete(executor)
    const judgements = judge(executor.runs.values(), exit, verdict)
    executor.runs.clear()
    this.#events.onExecutorEnd(executor, exit, verdict, judgements)
    for (const { run, outcome } of judgements) run.settle(outcome)
    if (shared && !executor.retired) this.#respawn(executor, exit)
    else this.#solo.assign()
  }

  #respawn(executor: Executor, exit: ExecutorExit): void {
    if (this.#closing) return
    if (executor.served > 0) {
      this.#refill()
      return
    }
    if (!this.#everReady && exit.broken !== undefined) {
      this.#leaveOut(exit.broken)
      return
    }
    this.#failedBoots++
    if (!this.#everReady && this.#failedBoots >= BOOT_TRIES) {
      this.#booted.reject(bootFailed(exit))
      return
    }
    const pause = Math.min(RESPAWN_MOST, RESPAWN_FIRST * 2 ** this.#failedBoots)
    setTimeout(() => this.#refill(), pause)
  }

  /** All executors anew: those that still boot would meet the file too, and all must have the same handlers. */
  #leaveOut(bad: BrokenFile): void {
    const { files, broken = [], ...rest } = this.#options.init
    this.#options.init = {
      ...rest,
      files: files.filter(({ file }) => file !== bad.file),
      broken: [...broken, bad],
    }
    for (const executor of this.#shared) this.#retire(executor)
    this.#refill()
  }

  /** As many shared executors as there should be: one that dies while others take its place is not replaced. */
  #refill(): void {
    if (this.#closing) return
    let lacking = this.#options.size
    for (const executor of this.#shared) if (!executor.retired) lacking--
    for (; lacking > 0; lacking--) this.#spawnShared()
  }
}

function bootFailed(exit: ExecutorExit): RunnerError {
  if (exit.broken !== undefined) return new RunnerError(exit.broken.code, exit.broken.message)
  return new RunnerError(
    'EXECUTOR_BOOT_FAILED',
    `no executor could start: it ${exit.words?.message ?? exit.message}`,
    {
      hint: 'no job file ended it: look at NODE_OPTIONS, and at the memory of this host',
      details: { stack: exit.words?.stack },
    },
  )
}

/**
 * One executor, seen from the supervisor: the runs it holds and what is said to and by it.
 *
 *   booting --ready--> ready --end()--> ending --exit--> ended
 *      '------------------- exit ------------------------^
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobFile, Manifest } from '../job/manifest.ts'
import type { PartProgress } from '../job/part.ts'
import { BootWatch } from './boot-watch.ts'
import type { ExecutorExit, ExecutorInit, OpenPort, Port, PortExit } from './port.ts'
import {
  FROM,
  TO,
  readRecord,
  record,
  type AbortCause,
  type CallHead,
  type DyingWords,
  type Failure,
  type SandboxFields,
  type StartHead,
  type WireRecord,
} from './protocol.ts'
import type { Run } from './run.ts'
import type { Sighting } from './sight.ts'

/** Milliseconds that an application has for the hooks of its end. With END_WITHIN no more than a stop has for executors. */
const CLOSE_WITHIN = 1_000
/** Milliseconds that an executor has to end: JavaScript is ended in some, native code when it returns. */
const END_WITHIN = 500

export interface ExecutorEvents {
  onReady(executor: Executor, manifest: Manifest): void
  onProgress(run: Run, json: string): void
  onLog(run: Run, row: string): void
  /** Of a migration: for metrics. */
  onMigrated(run: Run, progress: PartProgress): void
  /** A pino line for the process log. */
  onLine: (line: string) => void
  /** Answers a call of a handler. What it resolves to is sent back as JSON; what it rejects with, too. */
  onCall(run: Run, method: string, args: unknown[], trace: string | undefined): Promise<unknown>
  onIdle(executor: Executor): void
  /** Whether `glance` will be called in a moment. */
  isGlanceDue: () => boolean
  /** It does not end; `gone` resolves when it has. Its `onExit` follows at once. */
  onAbandoned(executor: Executor, gone: Promise<void>): void
  /** All batches are in; `executor.runs` are what it still held. */
  onExit(executor: Executor, exit: ExecutorExit): void
}

export class Executor {
  readonly id: number
  readonly runs = new Map<number, Run>()
  state: 'booting' | 'ready' | 'ending' | 'ended' = 'booting'
  /** Runs it was given since it started. */
  served = 0
  /** Its event loop has not turned for a while: it gets no new run. */
  late = false
  /** Takes no more runs and is ended when it holds none. */
  retired = false
  readonly #port: Port
  readonly #events: ExecutorEvents
  readonly #boot: BootWatch
  readonly #over = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  /** It holds an application, which wants to know of its end. */
  readonly #isClosed: boolean
  #words: DyingWords | undefined

  constructor(id: number, open: OpenPort, init: ExecutorInit, events: ExecutorEvents) {
    this.id = id
    this.#events = events
    this.#isClosed = init.files.some(({ kind }) => kind === 'application')
    this.#boot = new BootWatch(init, () => void this.end())
    this.#port = open(init, {
      onRecord: text => this.#onRecord(readRecord(text)),
      onExit: exit => this.#onExit(exit),
      isGlanceDue: events.isGlanceDue,
    })
  }

  start(run: Run, prefix: string): void {
    const { job } = run
    const head: StartHead = [
      run.seq,
      job.name,
      job.id,
      job.queueName,
      job.attemptsMade + 1,
      job.attemptsStarted,
    ]
    if (run.entry.kind === 'function') head.push(sandboxFields(run, prefix))
    if (job.trace !== undefined) head[7] = job.trace
    this.runs.set(run.seq, run)
    this.served++
    run.startedAt = Date.now()
    this.#port.send(record(TO.start, JSON.stringify(head), job.payload))
  }

  /** Of its process, when it has one of its own. */
  get pid(): number | undefined {
    return this.#port.pid
  }

  /** Resolves when it has ended, or was abandoned. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** Changes as long as its event loop turns. */
  get beats(): number {
    return this.#port.beats
  }

  /** Where its event loop is stuck. Rejects when it ends before that could be found out. */
  sight(): Promise<Sighting> {
    return this.#port.sight()
  }

  /** Takes what it has said so far. */
  glance(): void {
    this.#port.glance()
  }

  abort(run: Run, cause: AbortCause, message: string): void {
    run.aborted = cause
    this.#port.send(record(TO.abort, JSON.stringify([run.seq, cause, message])))
  }

  /**
   * Ends it whatever it is doing. Idempotent. Its runs are settled by `onExit`, also when it does not go: a thread
   * inside native code ends when the call returns, runs no JavaScript any more, and is abandoned until then.
   * One that is ready and holds no run ends its application in good order first.
   */
  async end(): Promise<void> {
    if (this.state === 'ended') return
    const inOrder = this.#isClosed && this.state === 'ready' && this.runs.size === 0 && !this.late
    this.state = 'ending'
    this.#boot.over()
    const over = new AbortController()
    if (inOrder) {
      this.#port.send(record(TO.close, ''))
      const deadline = sleep(CLOSE_WITHIN, undefined, { signal: over.signal }).catch(() => undefined)
      await Promise.race([this.#closed.promise, this.#over.promise, deadline])
      if ((this.state as string) === 'ended') return over.abort()
    }
    const late = sleep(END_WITHIN, 'late', { signal: over.signal }).catch(() => undefined)
    const gone = this.#port.end()
    if ((await Promise.race([gone, late])) !== 'late') {
      over.abort()
      return
    }
    if ((this.state as string) === 'ended') return
    this.#events.onAbandoned(this, gone)
    this.#onExit({ cause: 'abandoned', message: 'is inside native code, and was abandoned' })
  }

  #onRecord({ kind, head, body = '' }: WireRecord): void {
    if (kind === FROM.loading) {
      if (this.state === 'booting') this.#boot.loading(JSON.parse(body) as JobFile)
      return
    }
    if (kind === FROM.ready) {
      // Ended meanwhile, for a file that another one could not load: this one may be spared it, and does not count.
      if (this.state !== 'booting') return
      this.state = 'ready'
      this.#boot.over()
      this.#events.onReady(this, JSON.parse(body) as Manifest)
      return
    }
    if (kind === FROM.closed) {
      this.#closed.resolve()
      return
    }
    if (kind === FROM.dying) {
      this.#words = JSON.parse(body) as DyingWords
      // It may not be given new runs between these words and its exit.
      if (this.state !== 'ended') this.state = 'ending'
      return
    }
    if (kind === FROM.call) {
      void this.#answer(JSON.parse(head) as CallHead, body)
      return
    }
    const run = this.runs.get(Number(head))
    if (kind === FROM.line) this.#events.onLine(body)
    if (run === undefined) return
    // Also of a run that is settled already: until it is over it counts as held, and the executor as busy.
    if (kind === FROM.done) this.#settle(run, { kind: 'done', result: body === '' ? undefined : body })
    else if (kind === FROM.failed) this.#settle(run, { kind: 'failed', failure: JSON.parse(body) as Failure })
    // What is committed is, whatever became of the run.
    else if (kind === FROM.migrated) this.#events.onMigrated(run, JSON.parse(body) as PartProgress)
    else if (run.settled) return
    else if (kind === FROM.progress) this.#events.onProgress(run, body)
    else if (kind === FROM.log) this.#events.onLog(run, body)
  }

  #settle(run: Run, outcome: Parameters<Run['settle']>[0]): void {
    this.runs.delete(run.seq)
    run.settle(outcome)
    if (this.runs.size === 0) this.#events.onIdle(this)
  }

  async #answer([call, seq, method, trace]: CallHead, body: string): Promise<void> {
    const run = this.runs.get(seq)
    let text: string
    try {
      if (run === undefined) throw new Error(`run ${seq} has ended`)
      const value = await this.#events.onCall(run, method, JSON.parse(body) as unknown[], trace)
      text = record(TO.answer, JSON.stringify([call, null]), JSON.stringify(value))
    } catch (error) {
      const { name, message, code } = error as Error & { code?: unknown }
      text = record(TO.answer, JSON.stringify([call, { name, message, code }]))
    }
    if (this.state === 'ready') this.#port.send(text)
  }

  #onExit(exit: PortExit): void {
    // Abandoned before: its runs are settled.
    if (this.state === 'ended') return
    this.state = 'ended'
    const told: ExecutorExit = this.#words === undefined ? exit : { ...exit, words: this.#words }
    const broken = this.#boot.blame(told)
    this.#events.onExit(this, broken === undefined ? told : { ...told, broken })
    this.#over.resolve()
  }
}

function sandboxFields({ job, token }: Run, prefix: string): SandboxFields {
  const fields: SandboxFields = {
    opts: job.opts as Record<string, unknown>,
    attemptsMade: job.attemptsMade,
    timestamp: job.timestamp,
    delay: job.delay,
    priority: job.priority,
    stalledCounter: job.stalledCounter,
    progress: job.progress,
    token,
    prefix,
  }
  if (job.processedOn !== undefined) fields.processedOn = job.processedOn
  if (job.parentKey !== undefined) fields.parentKey = job.parentKey
  if (job.parent !== undefined) fields.parent = job.parent
  if (job.repeatJobKey !== undefined) fields.repeatJobKey = job.repeatJobKey
  return fields
}

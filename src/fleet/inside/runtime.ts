/**
 * The inside of an executor, the same in a thread and in a process: takes batches, runs handlers, says how they
 * ended. It holds no connection to Redis and no lock; everything it does can be thrown away at any moment.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ArgsError, RunnerError } from '../../errors.ts'
import { checkArgs, payloadJson, verdictOf } from '../../job/args.ts'
import { checkFlow, type FlowJobs } from '../../job/flow-check.ts'
import { readFlow } from '../../job/flow.ts'
import { jsonFault } from '../../job/problem.ts'
import { didYouMean } from '../../suggestion.ts'
import { setExecutorSettings } from '../../job/executor-settings.ts'
import { loadAll, type LoadedJob } from '../../job/load.ts'
import { partOf } from '../../job/part.ts'
import type { ApplicationStart } from '../../job/nest/application.ts'
import type { ExecutorInit } from '../port.ts'
import { FROM, TO, readRecord, record, type AbortCause, type CallError, type StartHead } from '../protocol.ts'
import { Context } from './context.ts'
import { runExecutable } from './executable.ts'
import { failureOf } from './failure.ts'
import { MigrationContext } from './migration-context.ts'
import { currentRun, Run } from './run.ts'
import { SandboxJob } from './sandbox-job.ts'
import { Traces } from './trace.ts'
import { Voice, resultOf, type Checks } from './voice.ts'

export class Runtime {
  readonly #send: (text: string) => void
  readonly #voice: Voice
  readonly #redact: readonly string[]
  readonly #runs = new Map<number, Run>()
  #jobs = new Map<string, LoadedJob>()
  #close: () => Promise<void> = async () => {}
  #traces: Traces | undefined

  /** `send` passes a record to the supervisor. */
  constructor(init: ExecutorInit, send: (text: string) => void) {
    this.#send = send
    if (init.settings !== undefined) setExecutorSettings(init.settings)
    this.#redact = init.redact
    const checks: Checks = {
      payload: (name, args) => this.#payloadOf(name, args),
      flow: async flow => checkFlow(readFlow(flow, init.redact), this.#known, init.redact),
    }
    this.#voice = new Voice(send, { level: init.logLevel, redact: init.redact }, checks)
  }

  /** Imports every job file, then says what was found. Never throws for a broken file. */
  async load(init: ExecutorInit): Promise<void> {
    const { files, broken, importTimeout, telemetry } = init
    if (telemetry === true) this.#voice.traces = this.#traces = await Traces.open()
    const start = files.some(({ kind }) => kind === 'application') && (await startOf(init, this.#send))
    const { jobs, manifest, close } = await loadAll(files, broken, {
      ...(importTimeout === undefined ? {} : { timeout: importTimeout }),
      ...(start && { start }),
      announce: async file => {
        this.#send(record(FROM.loading, '', JSON.stringify(file)))
        // A process sends what it has at the end of a turn, and there may be no turn after the import began.
        await nextTurn()
      },
    })
    this.#jobs = jobs
    this.#close = close
    this.#send(record(FROM.ready, '', JSON.stringify(manifest)))
  }

  /** It holds no run: what it imported may have timers and sockets, which nobody waits for just now. */
  get isIdle(): boolean {
    return this.#runs.size === 0
  }

  readonly onRecord = (text: string): void => {
    const { kind, head, body } = readRecord(text)
    switch (kind) {
      case TO.start:
        this.#start(JSON.parse(head) as StartHead, body ?? '{}')
        break
      case TO.abort: {
        const [seq, cause, message] = JSON.parse(head) as [number, AbortCause, string]
        this.#runs.get(seq)?.abort(cause, message)
        break
      }
      case TO.answer: {
        const [call, error] = JSON.parse(head) as [number, CallError | null]
        this.#voice.answer(call, error, body)
        break
      }
      case TO.close:
        // What an application throws in the hooks of its end is told by NestJS, and keeps nobody here.
        void this.#close()
          .catch(() => undefined)
          .then(() => this.#send(record(FROM.closed, '')))
        break
      default:
        throw new Error(`unknown record ${JSON.stringify(kind)}`)
    }
  }

  #start(head: StartHead, payload: string): void {
    let run: Run
    try {
      run = new Run(head, JSON.parse(payload))
    } catch (error) {
      run = new Run(head, undefined)
      const fault = jsonFault(payload, error, this.#redact)
      // Without the error as its cause: that quotes the payload, and causes are part of the stack that is stored.
      this.#fail(run, new ArgsError(`the payload in Redis is not JSON\n  ${fault}`))
      return
    }
    this.#runs.set(run.seq, run)
    currentRun.run(run, () => {
      const call = () => this.#call(run)
      const called = this.#traces === undefined ? call() : this.#traces.within(run.trace, call)
      called.then(
        value => this.#done(run, value),
        (error: unknown) => this.#fail(run, error),
      )
    })
  }

  /** Async, so that a handler that throws before its first await fails like any other. */
  async #call(run: Run): Promise<unknown> {
    const loaded = this.#jobs.get(run.name)
    if (loaded === undefined) throw new Error(`this executor has no handler ${run.name}`)
    const handler = loaded.run as ((...given: unknown[]) => unknown) | undefined
    if (handler === undefined) {
      const context = new Context(run, run.data, this.#voice)
      return runExecutable(loaded.entry.file, context)
    }
    const isMigration = loaded.entry.kind === 'migration'
    const isPart = isMigration && partOf(run.data) !== undefined
    const args = loaded.schema === undefined || isPart ? run.data : await this.#argsOf(run, loaded.schema)
    // A migration keeps the input of its schema, and applies that in each of its slices.
    if (isMigration) return handler(new MigrationContext(run, run.data, this.#voice))
    if (loaded.entry.kind !== 'function') return handler(new Context(run, args, this.#voice))
    const job = new SandboxJob(run, args, this.#voice)
    return handler(job, job.token, job.signal)
  }

  async #argsOf(run: Run, schema: NonNullable<LoadedJob['schema']>): Promise<unknown> {
    try {
      return await checkArgs(run.name, schema, run.data, this.#redact)
    } catch (error) {
      throw error instanceof ArgsError ? new Refusal(error) : error
    }
  }

  async #payloadOf(name: string, args: unknown = {}): Promise<string> {
    const loaded = this.#jobs.get(name)
    if (loaded === undefined) {
      throw new RunnerError('JOB_UNKNOWN', `no job is named ${name}`, didYouMean(name, this.#jobs.keys()))
    }
    const json = payloadJson(name, args, { redact: this.#redact })
    const isPart = loaded.entry.kind === 'migration' && partOf(args) !== undefined
    if (!isPart) await checkArgs(name, loaded.schema, JSON.parse(json), this.#redact)
    return json
  }

  readonly #known: FlowJobs = {
    names: () => this.#jobs.keys(),
    entryOf: name => this.#jobs.get(name)?.entry,
    check: (name, payloads) => {
      const { schema } = this.#jobs.get(name) ?? {}
      return Promise.all(payloads.map(json => verdictOf(name, schema, json, this.#redact)))
    },
  }

  #done(run: Run, value: unknown): void {
    let result: string | undefined
    try {
      result = resultOf(run, value)
    } catch (error) {
      this.#fail(run, new Refusal(error))
      return
    }
    this.#end(run, record(FROM.done, run.seq, result))
  }

  #fail(run: Run, error: unknown): void {
    const failure = error instanceof Refusal ? { ...failureOf(error.reason), final: true } : failureOf(error)
    this.#end(run, record(FROM.failed, run.seq, JSON.stringify(failure)))
  }

  #end(run: Run, text: string): void {
    this.#voice.settle(run)
    this.#runs.delete(run.seq)
    run.end()
    this.#send(text)
  }
}

async function startOf(
  { logLevel, redact, worked }: ExecutorInit,
  send: (text: string) => void,
): Promise<ApplicationStart> {
  const { nestLog } = await import('./nest-log.ts')
  return {
    logger: nestLog({ level: logLevel, redact }, line => send(record(FROM.line, '', line))),
    isWorked: (queue, named) =>
      worked?.queues.includes(queue) === true || (worked?.all === true && named.has(queue)),
  }
}

/**
 * The runtime itself refuses the payload or the result of this run. Told by class, not by code: a handler meets the
 * same codes when it enqueues another job, and those are its own to retry.
 */
class Refusal {
  readonly reason: unknown
  constructor(reason: unknown) {
    this.reason = reason
  }
}

/** Everything a run says to its supervisor besides its end: progress, log lines, calls that want an answer. */
import { RunnerError, messageOf } from '../../errors.ts'
import type { EnqueueOptions, JobLog } from '../../job/context.ts'
import type { AddedFlow, Child, Flow } from '../../job/flow.ts'
import type { CheckedFlow } from '../../job/flow-check.ts'
import type { PartProgress } from '../../job/part.ts'
import { FROM, record, type CallError, type CallHead, type ChildText } from '../protocol.ts'
import { openLog, type LogOptions } from './log.ts'
import type { Run } from './run.ts'
import type { Traces } from './trace.ts'

/** Progress is written at most so often per run, in milliseconds. The last value always is. */
const PROGRESS_EVERY = 200

/** What is added for a handler is checked here, where the schemas are. */
export interface Checks {
  /** The JSON of a payload of another job. Rejects with JOB_UNKNOWN or ARGS_INVALID. */
  payload(name: string, args: unknown): Promise<string>
  /** Rejects with FLOW_INVALID. */
  flow(flow: Flow): Promise<CheckedFlow>
}

interface Pending {
  resolve(value: unknown): void
  reject(error: unknown): void
}

export class Voice {
  /** With telemetry only. */
  traces: Traces | undefined
  readonly #send: (text: string) => void
  readonly #logOptions: LogOptions
  readonly #checks: Checks
  readonly #calls = new Map<number, Pending>()
  readonly #held = new Map<Run, { json: string; timer: NodeJS.Timeout; fresh: boolean }>()
  #call = 0

  constructor(send: (text: string) => void, logOptions: LogOptions, checks: Checks) {
    this.#checks = checks
    this.#send = send
    this.#logOptions = logOptions
  }

  /** First value at once, then throttled; `settle` writes what was held back. */
  progress(run: Run, value: unknown): void {
    // Here, and not when it is written: what is not JSON is thrown to the handler that said it.
    const json = JSON.stringify(value)
    const held = this.#held.get(run)
    if (held !== undefined) {
      held.json = json
      held.fresh = true
      return
    }
    this.#sendProgress(run, json)
    const timer = setInterval(() => this.#onTick(run), PROGRESS_EVERY)
    timer.unref()
    this.#held.set(run, { json, timer, fresh: false })
  }

  #onTick(run: Run): void {
    const held = this.#held.get(run)
    if (held?.fresh !== true) return
    held.fresh = false
    this.#sendProgress(run, held.json)
  }

  #sendProgress(run: Run, json: string): void {
    this.#send(record(FROM.progress, run.seq, json))
  }

  /** Called before the end of a run is said, so that the last progress is in Redis before the job is finished. */
  settle(run: Run): void {
    const held = this.#held.get(run)
    if (held === undefined) return
    clearInterval(held.timer)
    this.#held.delete(run)
    if (held.fresh) this.#sendProgress(run, held.json)
  }

  migrated(run: Run, progress: PartProgress): void {
    this.#send(record(FROM.migrated, run.seq, JSON.stringify(progress)))
  }

  logOf(run: Run): JobLog {
    return openLog(run, this.#logOptions, (line, row) => {
      this.#send(record(FROM.line, run.seq, line))
      this.#send(record(FROM.log, run.seq, row))
    })
  }

  /** The payload is checked here, where the schemas are, and crosses as text that the supervisor does not parse. */
  async enqueue(run: Run, name: string, args: unknown, options: EnqueueOptions = {}): Promise<string> {
    const json = await this.#checks.payload(name, args)
    return (await this.call(run, 'enqueue', [name, json, options])) as string
  }

  async flow(run: Run, flow: Flow): Promise<AddedFlow> {
    return (await this.call(run, 'flow', [await this.#checks.flow(flow)])) as AddedFlow
  }

  /** What they returned is text until it is here. */
  async children<Result>(run: Run): Promise<Child<Result>[]> {
    const texts = (await this.call(run, 'children', [])) as ChildText[]
    return texts.map(({ json, ...child }) =>
      json === undefined ? child : { ...child, result: JSON.parse(json) as Result },
    ) as Child<Result>[]
  }

  /** Rejects with what the supervisor answers, or at once when `args` are not JSON. */
  async call(run: Run, method: string, args: unknown[]): Promise<unknown> {
    const body = JSON.stringify(args)
    const call = ++this.#call
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#calls.set(call, { resolve, reject })
    const head: CallHead = [call, run.seq, method]
    if (this.traces !== undefined) head.push(this.traces.current)
    this.#send(record(FROM.call, JSON.stringify(head), body))
    return promise
  }

  answer(call: number, error: CallError | null, body: string | undefined): void {
    const pending = this.#calls.get(call)
    if (pending === undefined) return
    this.#calls.delete(call)
    if (error === null) pending.resolve(body === undefined ? undefined : JSON.parse(body))
    else pending.reject(Object.assign(new Error(error.message), error))
  }
}

export function resultOf(run: Run, value: unknown): string | undefined {
  if (value === undefined) return undefined
  try {
    return JSON.stringify(value)
  } catch (error) {
    throw new RunnerError(
      'JOB_RESULT_INVALID',
      `${run.name} returned a value that is not JSON: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}

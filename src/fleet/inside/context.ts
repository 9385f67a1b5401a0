/** `ctx`: what a handler is given. Members that cost something are made on first use. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EnqueueOptions, JobContext, JobLog, Progress } from '../../job/context.ts'
import type { Run } from './run.ts'
import type { Voice } from './voice.ts'

/** `breathe()` lets the loop turn when this much time went by since it last did, in milliseconds. */
const SLICE = 10

let sliceStart = performance.now()

export class Context implements JobContext {
  readonly args: unknown
  readonly id: string
  readonly name: string
  readonly queue: string
  readonly attempt: number
  readonly fence: number
  readonly #run: Run
  readonly #voice: Voice
  #log: JobLog | undefined

  constructor(run: Run, args: unknown, voice: Voice) {
    this.args = args
    this.id = run.id
    this.name = run.name
    this.queue = run.queue
    this.attempt = run.attempt
    this.fence = run.fence
    this.#run = run
    this.#voice = voice
  }

  get key(): string {
    return `${this.queue}:${this.id}`
  }

  get signal(): AbortSignal {
    return this.#run.signal
  }

  get log(): JobLog {
    return (this.#log ??= this.#voice.logOf(this.#run))
  }

  // Bound, so that handlers may take them out of the context: `run({ progress, breathe })`.
  readonly progress = (done: number, total?: number, note?: string): void => {
    const value: Progress = { done }
    if (total !== undefined) value.total = total
    if (note !== undefined) value.note = note
    this.#voice.progress(this.#run, value)
  }

  readonly enqueue = (name: string, args?: unknown, options?: EnqueueOptions): Promise<string> =>
    this.#voice.enqueue(this.#run, name, args, options)

  readonly breathe = async (): Promise<void> => {
    if (this.#run.aborted !== undefined) throw this.#run.aborted
    if (performance.now() - sliceStart < SLICE) return
    await nextTurn()
    sliceStart = performance.now()
    if (this.#run.aborted !== undefined) throw this.#run.aborted
  }
}

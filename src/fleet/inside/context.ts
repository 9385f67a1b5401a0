/** `ctx`: what a handler is given. Members that cost something are made on first use. */
import type { Readable } from 'node:stream'
import type { FileRef } from '../../file-ref.ts'
import type { Checkpoint, EnqueueOptions, JobContext, JobLog, Progress } from '../../job/context.ts'
import type { AddedFlow, Child, Flow } from '../../job/flow.ts'
import { openCheckpoint } from './checkpoint.ts'
import { openChunks } from './chunks.ts'
import { openFile } from './files.ts'
import { openMap } from './map.ts'
import type { Run } from './run.ts'
import { breathe } from './slice.ts'
import { openStep } from './step.ts'
import type { Voice } from './voice.ts'

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
  #checkpoint: Checkpoint | undefined
  #step: JobContext['step'] | undefined
  #chunks: JobContext['chunks'] | undefined

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

  readonly flow = (flow: Flow): Promise<AddedFlow> => this.#voice.flow(this.#run, flow)

  readonly children = <Result>(): Promise<Child<Result>[]> => this.#voice.children<Result>(this.#run)

  readonly file = (ref: FileRef): Promise<Readable> => openFile(ref, this.#run)

  readonly breathe = (): Promise<void> => breathe(this.#run)

  get checkpoint(): Checkpoint {
    return (this.#checkpoint ??= openCheckpoint(this.#run, this.#voice))
  }

  // Made once: they know which of their names are taken in this run.
  get step(): JobContext['step'] {
    return (this.#step ??= openStep(this.#run, this.#voice))
  }

  get chunks(): JobContext['chunks'] {
    return (this.#chunks ??= openChunks(this.#run, this.#voice, this.progress))
  }

  get map(): JobContext['map'] {
    return openMap(this.#run)
  }
}

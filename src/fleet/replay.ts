/**
 * Runs the payload of a job here, once, with the handlers of this folder: under a debugger, or to see what it did. The
 * queue is untouched: what the handler writes through `ctx` is captured, and read back from there. What it does to
 * other systems it does.
 */
import type { MinimalQueue } from 'bullmq'
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import type { JobFile } from '../job/manifest.ts'
import { executorInit } from './executor-init.ts'
import { FleetJob } from './fleet-job.ts'
import { callJob, isRead } from './job-calls.ts'
import { Pool } from './pool.ts'
import { openProcess } from './process-port.ts'
import type { Fence } from '../redis/fence.ts'
import { Run, type Outcome } from './run.ts'
import { openThread } from './thread-port.ts'

/** One thing that the handler would have written: 'progress', 'log', 'enqueue', 'checkpoint.set' and so on. */
export interface Captured {
  method: string
  args: unknown[]
}

export interface ReplayOptions {
  config: Config
  /** Of this job. */
  file: JobFile
  /** All, since it may enqueue other jobs. */
  files: JobFile[]
  queue: MinimalQueue
  id: string
  /** Reads what the job has in Redis. */
  fence: Fence
  onCaptured: (captured: Captured) => void
  /** A pino line of the handler. */
  onLine: (line: string) => void
  /** Aborted: the handler's signal aborts. */
  signal: AbortSignal
}

/** Resolves with how it ended. Throws JOB_NOT_FOUND, and USAGE for what cannot be captured. */
export async function replay(options: ReplayOptions): Promise<Outcome> {
  const { config, file, files, queue, id, fence, signal } = options
  const json = await queue.backend.getJobData(id)
  if (json === undefined) throw new RunnerError('JOB_NOT_FOUND', `job ${id} is gone`)
  const job = FleetJob.read(queue, json, id)
  const writes = new Writes(options.onCaptured)
  const pool = new Pool(
    {
      size: 1,
      open: config.isolation === 'thread' ? openThread : openProcess,
      init: executorInit(config, files),
      prefix: config.prefix,
    },
    {
      onStart: () => undefined,
      onProgress: (_run, text) => writes.add('progress', [JSON.parse(text)]),
      onLog: (_run, row) => writes.add('log', [row]),
      onMigrated: () => undefined,
      onLine: options.onLine,
      onCall: (run, method, args) => writes.call(run, fence, method, args),
      isGlanceDue: () => false,
      onAbandoned: () => undefined,
      onExecutorEnd: () => undefined,
    },
  )
  try {
    const { jobs, broken } = await pool.boot()
    const fault = broken.find(one => one.name === file.name)
    if (fault !== undefined) throw new RunnerError(fault.code, fault.message)
    const entry = jobs.find(({ name }) => name === file.name)
    if (entry === undefined) throw new RunnerError('JOB_UNKNOWN', `${file.file} has no job ${file.name}`)
    if (entry.kind === 'migration')
      throw new RunnerError('USAGE', `${file.name} is a migration: its writes cannot be captured`, {
        hint: 'runner migrations test runs it on a copy of the database',
      })
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const run = new Run(1, job, '', entry, 'shared', resolve)
    signal.addEventListener('abort', () => pool.holderOf(run)?.abort(run, 'cancelled', 'interrupted'))
    pool.dispatch(run)
    return await promise
  } finally {
    await pool.close('over')
  }
}

/** What was written, and what it would be read as. */
class Writes {
  readonly #onCaptured: (captured: Captured) => void
  readonly #kept = new Map<string, unknown>()

  constructor(onCaptured: (captured: Captured) => void) {
    this.#onCaptured = onCaptured
  }

  add(method: string, args: unknown[]): void {
    this.#onCaptured({ method, args })
  }

  async call(run: Run, fence: Fence, method: string, args: unknown[]): Promise<unknown> {
    if (isRead(method)) {
      const kept = this.#kept.get(JSON.stringify([method, ...args]))
      return kept === undefined ? callJob(run, fence, method, args) : kept
    }
    this.add(method, args)
    if (method === 'checkpoint.set') this.#keep(['checkpoint.get'], JSON.parse(args[0] as string))
    if (method === 'step.set') this.#keep(['step.get', args[0]], { value: JSON.parse(args[1] as string) })
    // As an id, where one is expected.
    if (method === 'flow') return { id: 'captured', added: true, children: [] }
    return method === 'enqueue' ? 'captured' : null
  }

  #keep(call: unknown[], value: unknown): void {
    this.#kept.set(JSON.stringify(call), value)
  }
}

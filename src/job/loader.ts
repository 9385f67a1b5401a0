/**
 * Job files for commands: imported in a short-lived thread, never in the command's own, because a file's top level
 * may do anything. It may throw, hang, spin, exit or crash: the session then has that file as broken and goes on
 * with the others in a new thread. What it prints goes to stderr, so that it cannot end up among a command's data.
 */
import { Worker } from 'node:worker_threads'
import { RunnerError, messageOf } from '../errors.ts'
import { shortPath } from './file-path.ts'
import { importFlags } from './import-flags.ts'
import { IMPORT_TIMEOUT, watchImport } from './import-deadline.ts'
import { asBroken, type LoadOptions } from './load.ts'
import type { FromThread, LoaderData, Verdict } from './loader-messages.ts'
import type { BrokenFile, JobEntry, JobFile, Manifest } from './manifest.ts'

const THREAD = new URL(`./loader-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)

export interface LoaderOptions extends LoadOptions {
  /** Payload fields whose values no verdict shows. */
  redact?: readonly string[]
  /** Ends the thread while it loads: then the call rejects with the signal's reason. */
  signal?: AbortSignal
}

export interface Loader {
  readonly manifest: Manifest
  /** Applies the job's schema to JSON texts in the thread; `null` for each that is fine. */
  check(name: string, payloads: string[]): Promise<Verdict[]>
  /** Ends the thread. Idempotent. */
  close(): Promise<void>
}

/** Loads `files` and closes again: what the jobs are, without anything of them staying. */
export async function inspectJobs(files: JobFile[], options?: LoadOptions): Promise<Manifest> {
  const loader = await openLoader(files, options)
  await loader.close()
  return loader.manifest
}

/** Loads `files` and keeps the thread for `check`. Never throws for a file: see `manifest.broken`. */
export async function openLoader(files: JobFile[], options: LoaderOptions = {}): Promise<Loader> {
  const timeout = options.timeout ?? IMPORT_TIMEOUT
  const broken: BrokenFile[] = []
  let rest = files
  for (;;) {
    options.signal?.throwIfAborted()
    const thread = new LoaderThread({ files: rest, timeout, redact: options.redact ?? [] })
    const end = () => void thread.close()
    options.signal?.addEventListener('abort', end)
    const culprit = await thread.load().finally(() => options.signal?.removeEventListener('abort', end))
    broken.push(...thread.broken)
    if (culprit === undefined) return session(thread, broken)
    broken.push(culprit)
    const bad = new Set(broken.map(one => one.file))
    rest = rest.filter(({ file }) => !bad.has(file))
  }
}

const session = (thread: LoaderThread, broken: BrokenFile[]): Loader => ({
  manifest: { jobs: thread.jobs, broken },
  check: (name, payloads) => thread.check(name, payloads),
  close: () => thread.close(),
})

class LoaderThread {
  readonly jobs: JobEntry[] = []
  readonly broken: BrokenFile[] = []
  readonly #worker: Worker
  readonly #timeout: number
  readonly #checks = new Map<number, PromiseWithResolvers<Verdict[]>>()
  readonly #ready = Promise.withResolvers<BrokenFile | undefined>()
  #loading: JobFile | undefined
  #lastFile: JobFile | undefined
  #timer: NodeJS.Timeout | undefined
  #fault: string | undefined
  #closed = false
  #nextCheck = 0

  constructor(data: LoaderData) {
    this.#timeout = data.timeout
    this.#worker = new Worker(THREAD, { workerData: data, execArgv: importFlags(), stdout: true })
    this.#worker.stdout.pipe(process.stderr, { end: false })
    this.#worker.on('message', (message: FromThread) => this.#receive(message))
    this.#worker.on('error', error => (this.#fault ??= messageOf(error)))
    this.#worker.on('exit', code => this.#ended(code))
  }

  /** `undefined` once all files are loaded, or the file that ended the thread. */
  load(): Promise<BrokenFile | undefined> {
    return this.#ready.promise
  }

  check(name: string, payloads: string[]): Promise<Verdict[]> {
    const answer = Promise.withResolvers<Verdict[]>()
    if (this.#closed) answer.reject(this.#failure('is not running'))
    else {
      const id = this.#nextCheck++
      this.#checks.set(id, answer)
      this.#worker.postMessage({ id, name, payloads })
    }
    return answer.promise
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#worker.terminate()
  }

  #receive(message: FromThread): void {
    clearTimeout(this.#timer)
    if (message.type === 'loading') this.#watch(message.file)
    else if (message.type === 'loaded') this.jobs.push(message.entry)
    else if (message.type === 'broken') this.broken.push(message.broken)
    else if (message.type === 'ready') {
      this.#loading = undefined
      this.#ready.resolve(undefined)
    } else {
      this.#checks.get(message.id)?.resolve(message.verdicts)
      this.#checks.delete(message.id)
    }
  }

  #watch(file: JobFile): void {
    this.#loading = this.#lastFile = file
    this.#timer = watchImport(file, this.#timeout, fault => {
      this.#fault = fault
      void this.#worker.terminate()
    })
  }

  /** Comes after the last message of the thread. */
  #ended(code: number): void {
    clearTimeout(this.#timer)
    const why = this.#fault ?? `ended its thread with exit code ${code}`
    const failure = this.#failure(why)
    this.#closed = true
    if (this.#loading !== undefined) this.#ready.resolve(asBroken(this.#loading, failure))
    // Before the first file: nothing of the user's has run, so this is no file's fault.
    else this.#ready.reject(new Error(`the loader thread did not start: ${why}`))
    for (const check of this.#checks.values()) check.reject(failure)
    this.#checks.clear()
  }

  #failure(why: string): RunnerError {
    const file = this.#loading ?? this.#lastFile
    const where = file === undefined ? '' : `${shortPath(file.file)}: `
    return new RunnerError('JOB_IMPORT_FAILED', where + why)
  }
}

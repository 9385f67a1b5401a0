/**
 * What jobs there are, and whether a payload is one of theirs. Job files are imported in a thread and never run; one that
 * holds that thread costs the requests that wait for it, and the thread is replaced.
 */
import type { Config } from '../config.ts'
import { ArgsError } from '../errors.ts'
import { findIn, jobFiles } from '../enqueue/job-files.ts'
import type { Discovery } from '../job/discover.ts'
import { openLoader, type Loader } from '../job/loader.ts'
import type { BrokenFile, JobEntry } from '../job/manifest.ts'
import { within } from './patience.ts'
import { Problem } from './problem.ts'

/** Milliseconds for all schemas to be there. */
const LOAD_MS = 30_000
/** Milliseconds for one payload: a schema that takes longer is a fault, or an attack on one. */
const CHECK_MS = 5_000

export interface CatalogOptions {
  config: Config
  /** Once for each file that does not load. */
  onBroken: (file: BrokenFile) => void
  /** Milliseconds for one payload. Default 5,000. */
  checkWithin?: number
}

export class JobCatalog implements AsyncDisposable {
  readonly #options: CatalogOptions
  readonly #discovery: Discovery
  readonly #told = new Set<string>()
  readonly #end = new AbortController()
  #loader: Promise<Loader> | undefined

  /** Begins to load. Throws CONFIG_INVALID for a folder that was named and is not there. */
  constructor(options: CatalogOptions) {
    this.#options = options
    this.#discovery = jobFiles(options.config)
    this.#discovery.broken.forEach(file => this.#tell(file))
    this.#load().catch(() => undefined)
  }

  async entries(): Promise<readonly JobEntry[]> {
    return (await this.#loaded()).manifest.jobs
  }

  /** Throws JOB_UNKNOWN with the nearest name, and Problem 500 where the file of the job does not load. */
  async entry(name: string): Promise<JobEntry> {
    const { jobs, broken } = (await this.#loaded()).manifest
    const entry = jobs.find(job => job.name === name)
    if (entry !== undefined) return entry
    const fault = [...this.#discovery.broken, ...broken].find(file => file.name === name)
    if (fault === undefined) findIn(this.#discovery, this.#options.config, name)
    // Where it lies, and what it says, is for who reads the log.
    throw new Problem(500, fault?.code ?? 'JOB_IMPORT_FAILED', `the file of job ${name} does not load`, {
      hint: 'the log of the gateway says why, as runner check does',
    })
  }

  /** Throws ArgsError, and Problem 504 when the schema does not answer. */
  async check(name: string, json: string): Promise<void> {
    const loader = await this.#loaded()
    const { checkWithin = CHECK_MS } = this.#options
    const late = () =>
      new Problem(504, 'CHECK_TIMEOUT', `the schema of ${name} has not answered within ${checkWithin} ms`, {
        hint: 'nothing was enqueued; what its refinements do takes too long, or never ends',
      })
    try {
      const [verdict] = await within(checkWithin, loader.check(name, [json]), late)
      if (verdict) throw new ArgsError(verdict.message, { details: verdict.details })
    } catch (error) {
      if (!(error instanceof ArgsError)) this.#replace(loader)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('the catalog of jobs is closed'))
    await (await this.#loader?.catch(() => undefined))?.close()
  }

  #loaded(): Promise<Loader> {
    return within(
      LOAD_MS,
      this.#load(),
      () => new Problem(503, 'LOADING', 'the job files are still being loaded', { retryAfter: 5 }),
    )
  }

  #load(): Promise<Loader> {
    if (this.#loader !== undefined) return this.#loader
    const { redact } = this.#options.config
    const loading = openLoader(this.#discovery.files, { redact, signal: this.#end.signal })
    this.#loader = loading
    loading.then(
      ({ manifest }) => manifest.broken.forEach(file => this.#tell(file)),
      () => (this.#loader = undefined),
    )
    return loading
  }

  /** Those who wait for the same thread are told that it was ended: they can try again. */
  #replace(loader: Loader): void {
    void this.#loader?.then(current => {
      if (current !== loader) return
      this.#loader = undefined
      this.#load().catch(() => undefined)
    })
    void loader.close()
  }

  #tell(file: BrokenFile): void {
    if (this.#told.has(file.file)) return
    this.#told.add(file.file)
    this.#options.onBroken(file)
  }
}

/** From job files to jobs that can run, and the manifest that says which there are. */
import type { z } from 'zod'
import { RunnerError, messageOf } from '../errors.ts'
import { defaultExport, type Runnable } from './default-export.ts'
import { MIGRATION, isJobDefinition, jobOptions, type JobDefinition } from './define.ts'
import { fileFields } from './file.ts'
import { shortPath } from './file-path.ts'
import { IMPORT_TIMEOUT } from './import-deadline.ts'
import { inputSchema } from './input-schema.ts'
import type { BrokenFile, JobEntry, JobFile, Manifest } from './manifest.ts'
import { problemsOf } from './problem.ts'
import { didYouMean } from '../suggestion.ts'
import type { Application, ApplicationStart } from './nest/application.ts'

/** Queue of jobs that name none. */
export const DEFAULT_QUEUE = 'default'

export interface LoadedJob {
  entry: JobEntry
  /** Absent: any JSON. */
  schema?: z.ZodType
  /** `job().run`, or the plain function. Absent for an executable. */
  run?: Runnable
}

export interface LoadOptions {
  /** Milliseconds. Default 30,000. */
  timeout?: number
  /** Called before a file is imported, and before an application is started; both wait until this is settled. */
  announce?: (file: JobFile) => Promise<void>
  /** Starts applications. Absent: only what their handlers are is read. */
  start?: ApplicationStart
}

/** What one file holds: an application may have many jobs, or none. */
export type LoadedFile = Application

/**
 * Imports one file; an executable is not touched. Runs user code: only for executors and loader threads.
 * Throws `RunnerError` with the file and the reason (JOB_IMPORT_FAILED, JOB_NO_DEFAULT_EXPORT, JOB_OPTION_INVALID,
 * JOB_SCHEMA_UNSERIALISABLE).
 */
export async function loadJob(file: JobFile, options: LoadOptions = {}): Promise<LoadedJob> {
  if (file.kind === 'executable') return { entry: executableEntry(file) }
  const exported = await defaultExport(file.file, options.timeout ?? IMPORT_TIMEOUT)
  if (isJobDefinition(exported)) return await fromDefinition(file, exported)
  return {
    entry: { name: file.name, file: file.file, kind: 'function', queue: DEFAULT_QUEUE },
    run: exported,
  }
}

/** The same for any file. Throws too what `loadApplication` throws. */
export async function loadFile(file: JobFile, options: LoadOptions = {}): Promise<LoadedFile> {
  if (file.kind !== 'application') return { jobs: [await loadJob(file, options)], doubts: [] }
  const { loadApplication } = await import('./nest/application.ts')
  const { timeout = IMPORT_TIMEOUT, start, announce = async () => undefined } = options
  return loadApplication(file, { timeout, read: fromDefinition, announce, ...(start && { start }) })
}

/** All that is known of an executable without running it. */
export function executableEntry({ name, file }: JobFile): JobEntry {
  return { name, file, kind: 'executable', queue: DEFAULT_QUEUE }
}

/**
 * Loads all files. One that does not load is listed in the manifest, never thrown.
 *
 * One after the other: what ends or blocks the thread is then the fault of the file that was announced last.
 */
export async function loadAll(
  files: JobFile[],
  broken: BrokenFile[] = [],
  options: LoadOptions = {},
): Promise<{ jobs: Map<string, LoadedJob>; manifest: Manifest; close: () => Promise<void> }> {
  const jobs = new Map<string, LoadedJob>()
  const failed: BrokenFile[] = []
  const doubts: string[] = []
  const opened: LoadedFile[] = []
  const { start } = options
  // The queues that files before it name are worked too: a worker of the application would take their jobs.
  const isWorked: ApplicationStart['isWorked'] = (queue, named) =>
    start?.isWorked(queue, new Set([...named, ...[...jobs.values()].map(({ entry }) => entry.queue)])) ===
    true
  const within = { ...options, ...(start && { start: { ...start, isWorked } }) }
  for (const file of files) {
    if (file.kind !== 'executable') await options.announce?.(file)
    try {
      const loaded = await loadFile(file, within)
      opened.push(loaded)
      addJobs(jobs, file, loaded)
      doubts.push(...loaded.doubts)
    } catch (error) {
      failed.push(asBroken(file, error))
    }
  }
  return {
    jobs,
    manifest: {
      jobs: [...jobs.values()].map(job => job.entry),
      broken: [...broken, ...failed],
      ...(doubts.length > 0 && { doubts }),
    },
    close: async () => void (await Promise.all(opened.map(async ({ close }) => close?.()))),
  }
}

/** None of them where one has the name of a job that is there: nobody could tell which is meant. */
export function addJobs(jobs: Map<string, LoadedJob>, file: JobFile, { jobs: more }: LoadedFile): void {
  for (const { entry } of more) {
    const other = jobs.get(entry.name)
    if (other === undefined) continue
    const message = `${shortPath(file.file)}: the job name ${entry.name} is also that of ${shortPath(other.entry.file)}`
    throw new RunnerError('NEST_APP_FAILED', message, { hint: 'rename one of the two' })
  }
  for (const loaded of more) jobs.set(loaded.entry.name, loaded)
}

export function asBroken({ name, file }: Pick<JobFile, 'name' | 'file'>, error: unknown): BrokenFile {
  if (!(error instanceof RunnerError))
    return { file, name, code: 'JOB_IMPORT_FAILED', message: `${shortPath(file)}: ${messageOf(error)}` }
  const { code, message, hint } = error
  return { file, name, code, message, ...(hint === undefined ? {} : { hint }) }
}

/** `where` opens the messages. */
async function fromDefinition(
  { name, file }: Pick<JobFile, 'name' | 'file'>,
  definition: JobDefinition,
  where = shortPath(file),
): Promise<LoadedJob> {
  const parsed = await jobOptions.safeParseAsync(definition)
  if (!parsed.success) throw optionInvalid(where, definition, parsed.error)
  const { args, run, ...options } = parsed.data
  const set = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const migration = definition[MIGRATION]
  // It names its runs, and tells by the file whether it has changed.
  if (migration !== undefined) Object.assign(migration, { name, file })
  const entry = { ...set, name, file, kind: migration === undefined ? 'job' : 'migration' } as JobEntry
  if (migration !== undefined) entry.migration = targetOf(migration as JobEntry['migration'] & object)
  if (definition.queue !== undefined) entry.queueNamed = true
  if (args !== undefined) {
    entry.schema = inputSchema(args, where)
    const files = fileFields(entry.schema)
    if (files !== undefined) entry.files = files
  }
  // Called as a method, in case `run` uses `this` to reach the other options.
  const bound = run.bind(definition) as Runnable
  return { entry, run: bound, ...(args === undefined ? {} : { schema: args }) }
}

function targetOf({
  database,
  shards,
  after,
}: JobEntry['migration'] & object): JobEntry['migration'] & object {
  return { shards, ...(database !== undefined && { database }), ...(after !== undefined && { after }) }
}

export function optionInvalid(where: string, definition: JobDefinition, error: z.ZodError): RunnerError {
  const problems = problemsOf(error.issues, definition)
  const isKnown = (path: string) => path.includes('.') || path.replace(/\[.*/, '') in jobOptions.shape
  const lines = problems.map(({ path, value, rule }) =>
    isKnown(path) ? `option ${path}: got ${value}, ${rule}` : `unknown option ${path}`,
  )
  const unknown = problems.find(({ path }) => !isKnown(path))
  return new RunnerError('JOB_OPTION_INVALID', `${where}: ${lines.join('; ')}`, {
    details: problems,
    ...(unknown && didYouMean(unknown.path, Object.keys(jobOptions.shape))),
  })
}

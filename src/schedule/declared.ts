/** The schedules that job files and the config file declare, each with all that BullMQ's scheduler of it holds. */
import type { Config } from '../config.ts'
import { ArgsError, type ErrorCode } from '../errors.ts'
import { payloadJson } from '../job/args.ts'
import { DEFAULT_TIMEZONE } from '../job/cron.ts'
import { toJobsOptions, type StoredOptions } from '../job/enqueue-options.ts'
import { shortPath } from '../job/file-path.ts'
import type { Verdict } from '../job/loader-messages.ts'
import type { Loader } from '../job/loader.ts'
import type { JobEntry, Manifest } from '../job/manifest.ts'
import { scheduleFaults, type ScheduleEntry } from '../job/schedule.ts'
import { didYouMean } from '../suggestion.ts'

export interface Declared {
  /** Of the scheduler: the name of the job, or `<job>:<key>`. */
  id: string
  job: string
  queue: string
  /** Either this, with the time zone, or `every`. */
  cron?: string
  timezone?: string
  /** Milliseconds. */
  every?: number
  /** Input of the job's schema. */
  args: unknown
  /** Of the jobs that it makes. */
  options: StoredOptions
  /** Where it is declared, for messages: 'jobs/report.ts', 'schedules.nightly in the config file'. */
  from: string
}

/** Why a schedule cannot be applied. */
export interface DeclarationFault {
  /** The id of the scheduler. */
  schedule: string
  code: ErrorCode
  message: string
  hint?: string
  details?: unknown
}

export interface Declarations {
  declared: Declared[]
  faults: DeclarationFault[]
}

type Timing = Omit<ScheduleEntry, 'key'>

/** Sorted by id. Those of job files were looked at when the files were loaded; those of the config file are here. */
export function declaredSchedules(
  config: Pick<Config, 'schedules'>,
  { jobs, broken }: Manifest,
): Declarations {
  const all: Declared[] = []
  const faults: DeclarationFault[] = []
  for (const entry of jobs) {
    for (const { key, ...timing } of entry.schedule ?? [])
      all.push(declare(entry, key, timing, shortPath(entry.file)))
  }
  for (const [key, { job, queue, ...timing }] of Object.entries(config.schedules)) {
    const from = `schedules.${key} in the config file`
    const entry = jobs.find(({ name }) => name === job)
    const wrong = [...scheduleFaults({ key, ...timing })].map(
      ({ path, message }) => `${[`schedules.${key}`, ...path].join('.')} in the config file: ${message}`,
    )
    if (entry?.kind === 'migration')
      wrong.push(`${from}: ${job} is a migration, which is done once; schedule a job that enqueues it`)
    for (const message of wrong) faults.push({ schedule: `${job}:${key}`, code: 'CONFIG_INVALID', message })
    if (entry === undefined) {
      // A file that does not load is told of as that.
      if (!broken.some(({ name }) => name === job)) faults.push(unknownJob(key, job, jobs, from))
    } else if (wrong.length === 0)
      all.push(declare({ ...entry, queue: queue ?? entry.queue }, key, set(timing), from))
  }
  all.sort((a, b) => (a.id < b.id ? -1 : 1))
  const declared = all.filter(({ id }, i) => all[i - 1]?.id !== id)
  return { declared, faults: [...faults, ...all.flatMap((one, i) => twice(one, all[i - 1]))] }
}

/** Holds the args of each against the schema of its job. `redact`: fields whose values no message shows. */
export async function argsFaults(
  declared: readonly Declared[],
  loader: Pick<Loader, 'check'>,
  redact: readonly string[],
): Promise<DeclarationFault[]> {
  const faults = await Promise.all(
    declared.map(async ({ id, job, args, from }): Promise<DeclarationFault[]> => {
      const refusal = await refusalOf(job, args, loader, redact)
      if (refusal === null) return []
      const { message, details } = refusal
      const where = `schedule ${id} of ${from}`
      return [{ schedule: id, code: 'ARGS_INVALID', message: `${where}: ${message}`, details }]
    }),
  )
  return faults.flat()
}

async function refusalOf(
  job: string,
  args: unknown,
  loader: Pick<Loader, 'check'>,
  redact: readonly string[],
): Promise<Verdict> {
  try {
    const [verdict = null] = await loader.check(job, [payloadJson(job, args, { redact })])
    return verdict
  } catch (error) {
    // It is too large. What else can go wrong is not about the args.
    if (error instanceof ArgsError) return { message: error.message, details: error.details }
    throw error
  }
}

function declare(entry: JobEntry, key: string | undefined, timing: Timing, from: string): Declared {
  const { cron, every, timezone, args = {} } = timing
  return {
    id: key === undefined ? entry.name : `${entry.name}:${key}`,
    job: entry.name,
    queue: entry.queue,
    ...(cron === undefined ? {} : { cron, timezone: timezone ?? DEFAULT_TIMEZONE }),
    ...(every === undefined ? {} : { every }),
    args,
    options: toJobsOptions(entry),
    from,
  }
}

/** `timing` without what is undefined. */
function set(timing: { [K in keyof Timing]?: Timing[K] | undefined }): Timing {
  return JSON.parse(JSON.stringify(timing)) as Timing
}

function unknownJob(key: string, job: string, jobs: readonly JobEntry[], from: string): DeclarationFault {
  return {
    schedule: `${job}:${key}`,
    code: 'CONFIG_INVALID',
    message: `${from}: no job is named ${JSON.stringify(job)}`,
    ...didYouMean(
      job,
      jobs.map(({ name }) => name),
    ),
  }
}

function twice(one: Declared, before: Declared | undefined): DeclarationFault[] {
  if (one.id !== before?.id) return []
  const message = `schedule ${one.id} is declared twice: by ${before.from} and by ${one.from}`
  return [{ schedule: one.id, code: 'CONFIG_INVALID', message, hint: 'give one of them another key' }]
}

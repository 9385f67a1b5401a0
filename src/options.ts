/** Every setting in one place: schema, default with unit, environment variables, flag. */
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { redisTarget, schedule } from './setting-schemas.ts'
import { duration, formatMilliseconds, milliseconds, size } from './units.ts'

export type RedisTarget = z.infer<typeof redisTarget>

const list = z.union([
  z.array(z.string()),
  z.string().transform(text => text.split(',').map(part => part.trim())),
])
/** Of what is no number at all, zod says that it received NaN. */
const error = ({ code }: { code: string }) =>
  code === 'invalid_type' ? 'expected a whole number' : undefined
const count = z.coerce.number({ error }).int({ error })

/** As long as Node's and BullMQ's timers count: what is longer would be due at once. */
const LONGEST = milliseconds('24d')
/** `least`: what is shorter keeps Redis busy, or runs out while a job is still being handed over. */
const timer = (least: string) =>
  duration().superRefine((ms, ctx) => {
    const shown = formatMilliseconds(ms)
    if (ms < milliseconds(least)) ctx.addIssue(`expected at least ${least}, got ${shown}`)
    else if (ms > LONGEST) ctx.addIssue(`expected at most ${formatMilliseconds(LONGEST)}, got ${shown}`)
  })

/** A word, or what the schema takes. A union of zod would say no more than "Invalid input". */
const wordOr = <W extends 'auto' | 'false'>(word: W, schema: z.ZodType<number, string | number>) =>
  z.union([z.literal(false), z.string(), z.number()]).transform((value, ctx): W | number => {
    if (String(value) === word) return word
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    for (const { message } of parsed.error.issues) ctx.addIssue(`${message}, or ${word}`)
    return z.NEVER
  })

/**
 * With a sweep every half of it, a killed replica's jobs are run again within 12 s, and a renewal may be 4 s late: far
 * more than it was with both cores of a machine taken (`npm run bench -- --only recovery`).
 */
export const DEFAULT_LOCK_DURATION = '8s'

export interface Option {
  schema: z.ZodType
  default: unknown
  /** Read in this order; the first that is set counts. */
  env: string[]
  /** Absent: it has none. */
  flag: string | undefined
  about: string
  scope: 'global' | 'work'
}

const option = <S extends z.ZodType>(
  scope: Option['scope'],
  flag: string | undefined,
  env: string | string[],
  schema: S,
  fallback: z.input<S> | undefined,
  about: string,
) => ({ schema, default: fallback, env: [env].flat(), flag, about, scope })

export const OPTIONS = {
  redis: option(
    'global',
    '--redis <url>',
    ['RUNNER_REDIS', 'REDIS_URL'],
    redisTarget,
    undefined,
    'Redis: redis://, rediss:// or unix:///path; Sentinel and Cluster from the config file. Default: a private server under .runner/',
  ),
  prefix: option(
    'global',
    '--prefix <text>',
    'RUNNER_PREFIX',
    z.string().min(1),
    'bull',
    'key prefix of all queues; on a Cluster it needs a hash tag, as in {bull}',
  ),
  jobs: option(
    'global',
    '--jobs <dir>',
    'RUNNER_JOBS',
    list,
    ['jobs', 'scripts'],
    'folder of job files, repeatable',
  ),
  logLevel: option(
    'global',
    '--log-level <level>',
    'RUNNER_LOG_LEVEL',
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    'info',
    'fatal, error, warn, info, debug, trace or silent',
  ),
  redact: option(
    'global',
    '--redact <path>',
    'RUNNER_REDACT',
    list,
    [],
    'payload field whose value no log and no error shows, such as password or card.number, repeatable',
  ),
  database: option(
    'global',
    undefined,
    'DATABASE_URL',
    z.string(),
    undefined,
    'database of migrations that name none: postgres://, or sqlite:path; default: .runner/app.db',
  ),
  databases: option(
    'global',
    undefined,
    [],
    z.record(z.string(), z.string()),
    {},
    'databases that migrations name, by name',
  ),
  schedules: option(
    'global',
    undefined,
    [],
    z.record(z.string(), schedule),
    {},
    'jobs that are run by themselves, by key: { job, cron or every, timezone, args, queue }',
  ),
  scheduleOwner: option(
    'global',
    undefined,
    'RUNNER_SCHEDULE_OWNER',
    z.string().min(1),
    undefined,
    'whose schedules those of this project are: nobody else prunes them; default: name in package.json',
  ),
  queues: option(
    'work',
    '--queue <name[:n]>',
    'RUNNER_QUEUES',
    list,
    [],
    'queue to work, with its own concurrency, repeatable. Default: all that the jobs name',
  ),
  concurrency: option(
    'work',
    '--concurrency <n>',
    'RUNNER_CONCURRENCY',
    count.min(1).max(10_000),
    10,
    'jobs at once in each queue that names no number of its own',
  ),
  executors: option(
    'work',
    '--executors <n>',
    'RUNNER_EXECUTORS',
    count.min(1).max(256),
    availableParallelism(),
    'threads (or processes) that run handlers',
  ),
  isolation: option(
    'work',
    '--isolation <kind>',
    'RUNNER_ISOLATION',
    z.enum(['thread', 'process']),
    'thread',
    'thread, or process for native add-ons and hard kills',
  ),
  executorMemory: option(
    'work',
    '--executor-memory <size>',
    'RUNNER_EXECUTOR_MEMORY',
    size(),
    '1GiB',
    'JavaScript heap of one executor; beyond it the job fails, not the worker',
  ),
  executorMaxJobs: option(
    'work',
    '--executor-max-jobs <n>',
    'RUNNER_EXECUTOR_MAX_JOBS',
    count.min(1).optional(),
    undefined,
    'replace an executor after so many jobs; it finishes what it holds',
  ),
  maxRss: option(
    'work',
    '--max-rss <size>',
    'RUNNER_MAX_RSS',
    size().optional(),
    undefined,
    'memory of the replica with its executors; beyond it they are replaced one at a time',
  ),
  lockDuration: option(
    'work',
    '--lock-duration <time>',
    'RUNNER_LOCK_DURATION',
    wordOr('auto', timer('1s')),
    DEFAULT_LOCK_DURATION,
    'how long a job stays locked when its replica dies; auto: by what was measured, 4s to 60s',
  ),
  stalledInterval: option(
    'work',
    '--stalled-interval <time>',
    'RUNNER_STALLED_INTERVAL',
    timer('100ms').optional(),
    undefined,
    'how often jobs of dead replicas are looked for; default: half of the lock duration',
  ),
  maxStalledCount: option(
    'work',
    '--max-stalled <n>',
    'RUNNER_MAX_STALLED',
    count.min(0),
    3,
    'how many replicas may die under a job before it is failed',
  ),
  grace: option(
    'work',
    '--grace <time>',
    'RUNNER_GRACE',
    duration(),
    '25s',
    'at shutdown, how long running jobs may go on before they are handed back',
  ),
  abortGrace: option(
    'work',
    '--abort-grace <time>',
    'RUNNER_ABORT_GRACE',
    duration(),
    '1s',
    'how long a handler may go on after its signal aborted; then its executor ends',
  ),
  blockWarn: option(
    'work',
    '--block-warn <time>',
    'RUNNER_BLOCK_WARN',
    timer('500ms'),
    '1s',
    'a handler that holds its event loop for so long is reported, with the line',
  ),
  blockLimit: option(
    'work',
    '--block-limit <time>',
    'RUNNER_BLOCK_LIMIT',
    wordOr('false', timer('500ms')).transform(limit => (limit === 'false' ? false : limit)),
    '5m',
    'a handler that holds its event loop for so long fails, and its executor ends; false: never',
  ),
  maxJobs: option(
    'work',
    '--max-jobs <n>',
    'RUNNER_MAX_JOBS',
    count.min(1).optional(),
    undefined,
    'stop after so many jobs',
  ),
  maxTime: option(
    'work',
    '--max-time <time>',
    'RUNNER_MAX_TIME',
    duration().optional(),
    undefined,
    'stop after so long',
  ),
  idleTimeout: option(
    'work',
    '--idle-timeout <time>',
    'RUNNER_IDLE_TIMEOUT',
    duration().optional(),
    undefined,
    'stop after so long without a job',
  ),
  drain: option(
    'work',
    '--drain',
    'RUNNER_DRAIN',
    z.union([z.boolean(), z.stringbool()]),
    false,
    'stop when the queues are empty',
  ),
  allowBroken: option(
    'work',
    '--allow-broken',
    'RUNNER_ALLOW_BROKEN',
    z.union([z.boolean(), z.stringbool()]),
    false,
    'start although some job files do not load',
  ),
} as const satisfies Record<string, Option>

export type OptionKey = keyof typeof OPTIONS

/** Whether its value may hold a credential: no message shows such a value, and `runner config` only parts of it. */
export const isConfidential = (key: string): boolean =>
  /^(redis|databases?)$|pass|secret|token|credential/i.test(key)

/** Every setting as the runtime uses it: durations in milliseconds, sizes in bytes. */
export type Settings = {
  [K in OptionKey]: z.output<(typeof OPTIONS)[K]['schema']> | (K extends 'redis' ? undefined : never)
}

/** What every verb takes: where Redis, files and databases are, and how much is said. */
import { z } from 'zod'
import { redisTarget, schedule } from '../setting-schemas.ts'
import { list, option, type Option } from './option.ts'

export const GLOBAL_OPTIONS = {
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
} as const satisfies Record<string, Option>

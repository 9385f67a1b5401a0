/**
 * What the API takes and gives, as zod sees it: requests are checked by it, /v1/openapi.json is made from it, and the
 * tests parse every answer with it. Fields are added to what it gives; none is taken away within /v1.
 */
import { z } from 'zod'
import type { JobDetails } from '../../inspector/details.ts'
import type { QueueFigures } from '../../inspector/figures.ts'
import { STATE_NAMES } from '../../inspector/state.ts'
import type { MigrationRun } from '../../migration/ledger-run.ts'

const epoch = () => z.number().meta({ description: 'milliseconds since the epoch' })
const duration = () => z.number().meta({ description: 'milliseconds' })
const whole = (most: number, about: string) =>
  z.coerce.number().int().min(0).max(most).optional().meta({ description: about })
const text = (about: string) => z.string().min(1).max(250).optional().meta({ description: about })

/** Of `POST /v1/jobs/{name}`. */
export const enqueueQuery = z.strictObject({
  queue: text('queue to put the job on; default: that of the job'),
  delay: text('do not run before so long, such as 30s, 5m or 2h'),
  priority: whole(2_097_151, '0 (first) to 2097151; default: that of the job'),
  attempts: whole(1_000_000, 'runs before the job has failed; default: that of the job'),
  id: text('id of the job: while one with it is kept, a second is not added'),
  dedupe: text('not added while a job with this deduplication id waits or runs'),
  reason: text('of a migration: kept with the run'),
  shards: whole(10_000, 'of a migration: ranges that are worked side by side'),
  again: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'of a migration: also when it has succeeded with these arguments' }),
})

export const cancelQuery = z.strictObject({
  reason: text('kept with the job; default: by which token'),
})

export const migrationsQuery = z.strictObject({ name: text('of a migration; default: all') })

const enqueuedJob = z.object({
  id: z.string(),
  name: z.string().meta({ description: 'of the job that has this id' }),
  queue: z.string(),
  added: z.boolean().meta({ description: 'false: an earlier job has this id, or this deduplication id' }),
})

const begunRun = z.object({
  run: z.string(),
  name: z.string(),
  queue: z.string(),
  enrolment: z.enum(['new', 'resumed', 'running', 'succeeded']),
  added: z.boolean().meta({ description: 'false: nothing was begun by this request' }),
})

export const enqueued = z.union([enqueuedJob, begunRun])

export const jobDetails: z.ZodType<JobDetails> = z.object({
  queue: z.string(),
  id: z.string(),
  name: z.string(),
  state: z.enum(STATE_NAMES),
  timestamp: epoch(),
  processedOn: epoch().exactOptional(),
  finishedOn: epoch().exactOptional(),
  attemptsMade: z.int(),
  attemptsStarted: z.int(),
  delay: duration().exactOptional(),
  priority: z.int().exactOptional(),
  progress: z.unknown().exactOptional(),
  failedReason: z.string().exactOptional(),
  processedBy: z.string().exactOptional(),
  data: z.unknown().meta({ description: 'payload; fields of the setting redact are hidden' }),
  result: z.unknown().exactOptional(),
  opts: z.record(z.string(), z.unknown()),
  stacktrace: z.array(z.string()),
  logs: z.int(),
  parent: z.object({ queue: z.string(), id: z.string() }).exactOptional(),
  checkpoint: z.unknown().exactOptional(),
  steps: z.array(z.string()),
  crashes: z.int(),
})

export const cancelled = z.object({
  how: z.enum(['stopped', 'killed', 'completed', 'not-started', 'marked']).meta({
    description:
      'stopped: its handler ended by its signal; killed: its executor was ended; completed: it was faster; not-started: it had not begun; marked: it does not run, and fails when a worker takes it',
  }),
  replica: z.string().optional(),
  job: z.string().optional(),
  ms: duration().optional(),
})

const queueFigures: z.ZodType<QueueFigures> = z.object({
  queue: z.string(),
  paused: z.boolean(),
  waiting: z.int(),
  prioritized: z.int(),
  active: z.int(),
  delayed: z.int(),
  waitingChildren: z.int(),
  failed: z.int(),
  completed: z.int(),
  oldest: duration().nullable(),
  rate: z.number().meta({ description: 'runs that ended a second, over the last minute' }),
  drain: duration().nullable(),
  globalConcurrency: z.int().nullable(),
  replicas: z.int(),
  slots: z.int(),
})

export const queues = z.array(queueFigures)

const migrationRun: z.ZodType<MigrationRun> = z.object({
  id: z.string(),
  name: z.string(),
  args: z.string().meta({ description: 'JSON; fields of the setting redact are hidden' }),
  checksum: z.string(),
  state: z.enum(['planning', 'running', 'paused', 'verifying', 'succeeded', 'failed', 'cancelled']),
  queue: z.string(),
  shards: z.int(),
  estimate: z.number().nullable(),
  error: z.string().nullable(),
  tolerated: z.number(),
  batchMax: z.number().nullable(),
  maxLag: z.number().nullable(),
  held: z.string().nullable(),
  announced: z.boolean().nullable(),
  dryRun: z.boolean(),
  requestedBy: z.string().nullable(),
  reason: z.string().nullable(),
  createdAt: epoch(),
  startedAt: epoch().nullable(),
  finishedAt: epoch().nullable(),
})

export const migrations = z.array(migrationRun)

export const runProgress = z.object({
  run: migrationRun,
  rows: z.number(),
  failed: z.number(),
  rate: z.number().nullable().meta({ description: 'rows a second since it was started' }),
  left: duration().nullable(),
  shards: z.array(
    z.object({
      shard: z.int(),
      rows: z.number(),
      batchSize: z.int(),
      open: z.boolean(),
      held: z.boolean(),
    }),
  ),
})

export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string().meta({ description: 'what a program looks at: docs/api.md and docs/errors.md list them' }),
  hint: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), value: z.string(), rule: z.string() })).optional(),
  instance: z.string().optional().meta({ description: 'id of the request, also in X-Request-Id' }),
})

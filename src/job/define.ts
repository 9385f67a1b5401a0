/** `job()`: what a file in `jobs/` or `scripts/` exports by default. */
import { z } from 'zod'
import { duration, type Duration } from '../units.ts'
import type { JobContext } from './context.ts'
import type { Schedule } from './schedule.ts'

/** Shared by every copy of this package, so that a definition is known for one whichever copy made it. */
const BRAND = Symbol.for('bullmq-runner.job')

/** Of a definition that `migration()` made: what the engine knows of it. */
export const MIGRATION = Symbol.for('bullmq-runner.migration')

export interface Backoff {
  type: 'fixed' | 'exponential'
  delay: Duration
  /** 0..1: how much of the delay is random. Default 0. */
  jitter?: number
}

/** How many finished jobs Redis keeps: `true` none, `false` all, or by count and by age in seconds. */
export type Keep =
  | boolean
  | number
  | { age: number; count?: number; limit?: number }
  | { count: number; limit?: number }

export interface JobOptions<Schema extends z.ZodType = z.ZodType> {
  /** Queue that `enqueue` puts the job on. Default 'default'. */
  queue?: string
  /** Schema of the payload. Checked at enqueue and again before the run. Default: any JSON. */
  args?: Schema
  /** One line for `--help`. */
  description?: string
  /** Runs before the job is failed. Default 1. Also used for jobs whose producer set none. */
  attempts?: number
  /** Wait before the next attempt. Default none. */
  backoff?: Duration | Backoff
  /** Longest run. The signal aborts, and after `--abort-grace` the executor ends. Default none. */
  timeout?: Duration
  /**
   * `limit`: longest time that a run may hold its event loop in one piece; then it fails with BlockedError and its
   * executor ends. `false`: never. Default: `--block-limit`.
   */
  block?: { limit?: Duration | false }
  /** 0 (highest) .. 2097151. Default 0. */
  priority?: number
  /** Default: the newest 1000. */
  removeOnComplete?: Keep
  /** Default: the newest 5000. */
  removeOnFail?: Keep
  /**
   * When it is run by itself: '0 3 * * *', '@daily', `{ cron, timezone, args }`, `{ every: '5m', args }`, or a list of
   * these, each with a `key`. Redis has it once `runner schedules apply` was run. Default never.
   */
  schedule?: Schedule<z.input<Schema>> | readonly Schedule<z.input<Schema>>[]
  run(ctx: JobContext<z.output<Schema>>): unknown
}

export type JobDefinition<Schema extends z.ZodType = z.ZodType> = JobOptions<Schema> & {
  readonly [BRAND]: true
  [MIGRATION]?: object
}

/**
 * Declares a job. The file's path names it: `jobs/emails/send.ts` is `emails/send`.
 *
 * @example
 * export default job({
 *   queue: 'mail',
 *   args: z.object({ to: z.email() }),
 *   async run({ args, signal }) { await mailer.send(args.to, { signal }) },
 * })
 */
export function job<Schema extends z.ZodType = z.ZodUnknown>(
  options: JobOptions<Schema>,
): JobDefinition<Schema> {
  return { ...options, [BRAND]: true }
}

export function isJobDefinition(value: unknown): value is JobDefinition {
  return typeof value === 'object' && value !== null && BRAND in value
}

const keep = z.union([
  z.boolean(),
  z.number().int(),
  z
    .strictObject({ age: z.number().optional(), count: z.int().optional(), limit: z.int().optional() })
    .refine(({ age, count }) => age !== undefined || count !== undefined, 'expected age, count or both')
    .transform(given => given as Keep),
])

const backoff = z.union([
  duration().transform(delay => ({ type: 'fixed' as const, delay })),
  z.strictObject({
    type: z.enum(['fixed', 'exponential']),
    delay: duration(),
    jitter: z.number().min(0).max(1).optional(),
  }),
])

/** The options of `job()` as the runtime uses them: durations in milliseconds. Strict: a misspelt option is refused. */
export const jobOptions = z.strictObject({
  queue: z
    .string()
    .min(1)
    .regex(/^[^:]+$/, 'a queue name has no ":"')
    .default('default'),
  args: z
    .custom<z.ZodType>(value => value instanceof Object && '_zod' in value, 'expected a zod 4 schema')
    .optional(),
  description: z.string().optional(),
  attempts: z.int().min(1).optional(),
  backoff: backoff.optional(),
  timeout: duration().optional(),
  block: z.strictObject({ limit: z.union([z.literal(false), duration()]).optional() }).optional(),
  priority: z.int().min(0).max(2_097_151).optional(),
  removeOnComplete: keep.optional(),
  removeOnFail: keep.optional(),
  schedule: z
    .unknown()
    .transform(async (value, ctx) => {
      // With a parser of cron patterns, which most executors never need.
      const { readSchedules } = await import('./schedule.ts')
      const read = readSchedules(value, fault => ctx.addIssue({ code: 'custom', ...fault }))
      return read ?? z.NEVER
    })
    .optional(),
  run: z.custom<(ctx: JobContext) => unknown>(value => typeof value === 'function', 'expected a function'),
})

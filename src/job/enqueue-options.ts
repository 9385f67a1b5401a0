/**
 * From a job's file and the options of one enqueue to BullMQ's job options: the only place that knows how the two
 * are named there. Pure; BullMQ is matched by shape, so that an executor need not load it.
 */
import { RunnerError, messageOf } from '../errors.ts'
import { milliseconds } from '../units.ts'
import type { EnqueueOptions } from './context.ts'
import type { Keep } from './define.ts'
import type { JobEntry } from './manifest.ts'
import { shorten } from './problem.ts'

/** The part of BullMQ's `JobsOptions` that this package sets. */
export interface StoredOptions {
  jobId?: string
  /** Milliseconds. */
  delay?: number
  priority?: number
  attempts?: number
  backoff?: { type: 'fixed' | 'exponential'; delay: number; jitter?: number }
  removeOnComplete: Keep
  removeOnFail: Keep
  deduplication?: { id: string }
}

/** The newest finished jobs that Redis keeps where a job does not say. */
const KEEP_COMPLETED: Keep = { count: 1000 }
const KEEP_FAILED: Keep = { count: 5000 }

const LARGEST_PRIORITY = 2_097_151

/** `options` win over the job's file. Throws USAGE naming the option and the value BullMQ would not take. */
export function toJobsOptions(
  entry: Partial<
    Pick<JobEntry, 'attempts' | 'backoff' | 'priority' | 'removeOnComplete' | 'removeOnFail'>
  > = {},
  options: EnqueueOptions = {},
): StoredOptions {
  const { id, dedupe } = options
  const attempts = options.attempts ?? entry.attempts
  const priority = options.priority ?? entry.priority
  check('attempts', attempts, 1, Number.MAX_SAFE_INTEGER)
  check('priority', priority, 0, LARGEST_PRIORITY)
  if (id !== undefined) checkId(id)
  if (dedupe === '') throw new RunnerError('USAGE', 'dedupe: an empty id cannot be used')
  return {
    removeOnComplete: entry.removeOnComplete ?? KEEP_COMPLETED,
    removeOnFail: entry.removeOnFail ?? KEEP_FAILED,
    ...(attempts === undefined ? {} : { attempts }),
    ...(priority === undefined ? {} : { priority }),
    ...(entry.backoff === undefined ? {} : { backoff: entry.backoff }),
    ...(options.delay === undefined ? {} : { delay: delayOf(options.delay) }),
    ...(id === undefined ? {} : { jobId: id }),
    ...(dedupe === undefined ? {} : { deduplication: { id: dedupe } }),
  }
}

function check(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `${least} to ${most}`
  throw new RunnerError('USAGE', `${name}: got ${shorten(value)}, expected a whole number ${range}`)
}

/** BullMQ numbers jobs itself and separates its keys by ":". */
function checkId(id: string): void {
  const fault =
    id === ''
      ? 'it is empty'
      : /^-?\d+$/.test(id)
        ? 'BullMQ takes no whole number as an id, those are its own'
        : id.includes(':')
          ? 'BullMQ takes no ":" in an id'
          : undefined
  if (fault === undefined) return
  throw new RunnerError('USAGE', `id: got ${shorten(id)}, ${fault}`, {
    hint: 'put a letter before it, as in job-42',
  })
}

function delayOf(delay: number | string): number {
  try {
    return milliseconds(delay)
  } catch (error) {
    throw new RunnerError('USAGE', `delay: ${messageOf(error)}`)
  }
}

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

/**
 * `options` win over the job's file. Throws USAGE naming the option, as `said` says it (a flag, on the command line),
 * and the value BullMQ would not take.
 */
export function toJobsOptions(
  entry: Partial<
    Pick<JobEntry, 'attempts' | 'backoff' | 'priority' | 'removeOnComplete' | 'removeOnFail'>
  > = {},
  options: EnqueueOptions = {},
  said: (option: keyof EnqueueOptions) => string = option => option,
): StoredOptions {
  const { id, dedupe } = options
  const attempts = options.attempts ?? entry.attempts
  const priority = options.priority ?? entry.priority
  check(said('attempts'), attempts, 1, Number.MAX_SAFE_INTEGER)
  check(said('priority'), priority, 0, LARGEST_PRIORITY)
  if (id !== undefined) checkId(said('id'), id)
  if (dedupe === '') throw new RunnerError('USAGE', `${said('dedupe')}: an empty id cannot be used`)
  return {
    removeOnComplete: entry.removeOnComplete ?? KEEP_COMPLETED,
    removeOnFail: entry.removeOnFail ?? KEEP_FAILED,
    ...(attempts === undefined ? {} : { attempts }),
    ...(priority === undefined ? {} : { priority }),
    ...(entry.backoff === undefined ? {} : { backoff: entry.backoff }),
    ...(options.delay === undefined ? {} : { delay: delayOf(said('delay'), options.delay) }),
    ...(id === undefined ? {} : { jobId: id }),
    ...(dedupe === undefined ? {} : { deduplication: { id: dedupe } }),
  }
}

function check(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `${least} to ${most}`
  throw new RunnerError('USAGE', `${name}: got ${shorten(value)}, expected a whole number ${range}`)
}

function checkId(name: string, id: string): void {
  const wrong = idFault(id, name)
  if (wrong === undefined) return
  throw new RunnerError('USAGE', `${name}: got ${shorten(id)}, ${wrong.fault}`, { hint: wrong.hint })
}

/** Why it can be no id, and the way out: BullMQ numbers jobs itself and separates its keys by ":". */
export function idFault(id: string, name = 'id'): { fault: string; hint: string } | undefined {
  if (id === '') return { fault: 'it is empty', hint: `leave out ${name}: BullMQ numbers the job` }
  if (/^-?\d+$/.test(id)) {
    const fault = 'BullMQ takes no whole number as an id, those are its own'
    return { fault, hint: 'put a letter before it, as in job-42' }
  }
  if (!id.includes(':')) return undefined
  const hint = `write another sign, as in ${id.replaceAll(':', '-')}`
  return { fault: 'BullMQ takes no ":" in an id', hint }
}

function delayOf(name: string, delay: number | string): number {
  try {
    return milliseconds(delay)
  } catch (error) {
    throw new RunnerError('USAGE', `${name}: ${messageOf(error)}`)
  }
}

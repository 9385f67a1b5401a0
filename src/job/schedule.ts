/** When a job is run by itself: the option `schedule` of `job()`, as people write it and as the manifest has it. */
import { z } from 'zod'
import { closest } from '../suggestion.ts'
import { duration, formatMilliseconds, milliseconds, type Duration } from '../units.ts'
import { cronFault, timezoneFault } from './cron.ts'

interface ScheduleOptions<Args> {
  /** Tells the schedules of one job apart: in a list each has one. The scheduler of BullMQ is then `<job>:<key>`. */
  key?: string
  /** Payload of the jobs that it makes: input of the schema. Default {}. */
  args?: Args
}

/** At the times of a cron pattern of 5 fields, or of 6 that begin with the second, or '@daily' and the like. */
export interface CronSchedule<Args = unknown> extends ScheduleOptions<Args> {
  cron: string
  /** IANA name. Default 'UTC', wherever the replicas are. */
  timezone?: string
}

/** At once, and then again after each such time; at least 1 s. */
export interface IntervalSchedule<Args = unknown> extends ScheduleOptions<Args> {
  every: Duration
}

export type Schedule<Args = unknown> = string | CronSchedule<Args> | IntervalSchedule<Args>

/** As the manifest has it: JSON, either `cron` or `every`. */
export interface ScheduleEntry {
  key?: string
  cron?: string
  /** Milliseconds. */
  every?: number
  timezone?: string
  args?: unknown
}

/** What is wrong, and where in the option. */
export interface ScheduleFault {
  path: PropertyKey[]
  message: string
}

const LEAST = milliseconds('1s')

const entry = z
  .strictObject({
    key: z.string().optional(),
    cron: z.string().optional(),
    every: duration().optional(),
    timezone: z.string().optional(),
    args: z.unknown().optional(),
  })
  .superRefine((value, ctx) => {
    for (const { path, message } of scheduleFaults(value)) ctx.addIssue({ code: 'custom', path, message })
  })

/** Of one schedule whose parts are of the right type. */
export function* scheduleFaults(schedule: {
  [K in keyof ScheduleEntry]?: ScheduleEntry[K] | undefined
}): Generator<ScheduleFault> {
  const { key, cron, every, timezone, args } = schedule
  const fault = key === undefined ? undefined : keyFault(key)
  if (fault !== undefined) yield { path: ['key'], message: fault }
  if (cron === undefined && every === undefined)
    yield { path: [], message: "expected cron: '0 3 * * *' or every: '5m'" }
  if (cron !== undefined && every !== undefined)
    yield { path: [], message: 'expected cron or every, not both' }
  const wrong = cron === undefined ? undefined : cronFault(cron)
  if (wrong !== undefined) yield { path: ['cron'], message: wrong }
  if (every !== undefined && every < LEAST)
    yield { path: ['every'], message: `expected at least ${formatMilliseconds(LEAST)}` }
  if (timezone !== undefined && cron === undefined)
    yield { path: ['timezone'], message: 'a time zone goes with cron' }
  const unknown = timezone === undefined ? undefined : timezoneFault(timezone)
  if (unknown !== undefined) yield { path: ['timezone'], message: unknown }
  if (args === null) yield { path: ['args'], message: 'BullMQ makes {} of null: leave it out' }
  if (args !== undefined && !isJson(args)) yield { path: ['args'], message: 'not JSON' }
}

/** It is part of keys that BullMQ separates by ":" and ends with a time. */
function keyFault(key: string): string | undefined {
  if (!/^[\p{L}\p{M}\p{N}_.@+=/-]+$/u.test(key)) return 'expected letters, digits and - _ . @ + = /'
  return /^\d+$/.test(key) ? 'expected a name, not a number alone' : undefined
}

/** Always a list; args are what JSON makes of them. `undefined` when `fault` was called. */
export function readSchedules(
  value: unknown,
  fault: (fault: ScheduleFault) => void,
): ScheduleEntry[] | undefined {
  let wrong = false
  const tell = (one: ScheduleFault) => {
    wrong = true
    fault(one)
  }
  const entries = Array.isArray(value)
    ? value.flatMap((one, i) => readOne(one, [i], tell))
    : readOne(value, [], tell)
  if (Array.isArray(value)) checkKeys(value, entries, tell)
  return wrong ? undefined : entries
}

function readOne(
  value: unknown,
  path: PropertyKey[],
  fault: (fault: ScheduleFault) => void,
): ScheduleEntry[] {
  if (typeof value === 'string') {
    const message = cronFault(value)
    if (message === undefined) return [{ cron: value }]
    fault({ path, message })
    return []
  }
  const parsed = entry.safeParse(value)
  if (parsed.success) {
    const set = Object.entries(parsed.data).filter(([, part]) => part !== undefined)
    return [JSON.parse(JSON.stringify(Object.fromEntries(set))) as ScheduleEntry]
  }
  const unknown = parsed.error.issues.flatMap(issue => (issue.code === 'unrecognized_keys' ? issue.keys : []))
  for (const key of unknown) {
    const near = closest(key, Object.keys(entry.shape))
    const hint = near === undefined ? '' : `, did you mean ${near}?`
    fault({ path: [...path, key], message: `no such field is known${hint}` })
  }
  // What is missing is what was misspelt.
  for (const issue of unknown.length > 0 ? [] : parsed.error.issues) {
    if (issue.path.length === 0 && issue.code === 'invalid_type')
      fault({ path, message: "expected '0 3 * * *', { cron, ... }, { every, ... }, or a list of them" })
    else fault({ path: [...path, ...issue.path], message: issue.message })
  }
  return []
}

function checkKeys(
  list: readonly unknown[],
  entries: readonly ScheduleEntry[],
  fault: (fault: ScheduleFault) => void,
): void {
  if (list.length === 0) fault({ path: [], message: 'the list is empty: leave it out' })
  // One that was refused already is not among them: its place in the list would be another.
  if (entries.length !== list.length) return
  for (const [i, { key }] of entries.entries()) {
    if (key === undefined)
      fault({ path: [i], message: "in a list each needs a key of its own, as in { key: 'nightly', ... }" })
    else if (entries.findIndex(one => one.key === key) < i)
      fault({ path: [i, 'key'], message: 'another one of the list has this key' })
  }
}

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}

/** Cron patterns and time zones, read by the very library with which BullMQ reads them. */
import { CronExpressionParser } from 'cron-parser'
import { messageOf } from '../errors.ts'
import { closest } from '../suggestion.ts'
import { milliseconds } from '../units.ts'

/** Of patterns that name none. Said outright: BullMQ would take that of whichever worker is up. */
export const DEFAULT_TIMEZONE = 'UTC'

/** Why `pattern` cannot be a schedule, and what can. */
export function cronFault(pattern: string): string | undefined {
  if (isDuration(pattern)) return `this is a duration: write { every: '${pattern.trim()}' }`
  const fields = pattern.trim().split(/\s+/)
  // cron-parser fills in what is missing, and takes '' for every minute.
  if (!pattern.startsWith('@') && (fields.length < 5 || fields.length > 6))
    return 'expected a cron pattern of 5 fields, or of 6 that begin with the second, or @daily and the like'
  // BullMQ gives it no seed, so that it would be another time at each run.
  if (fields.some(field => /(?<![a-z])H(?![a-z])/i.test(field))) return 'H is no fixed time: write a number'
  try {
    CronExpressionParser.parse(pattern).next()
    return undefined
  } catch (error) {
    return `not a cron pattern that ever comes round: ${messageOf(error)}`
  }
}

export function timezoneFault(timezone: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone }).format()
    CronExpressionParser.parse('* * * * *', { tz: timezone }).next()
    return undefined
  } catch {
    const near = closest(timezone, Intl.supportedValuesOf('timeZone'))
    const hint = near === undefined ? 'such as Europe/Berlin or UTC' : `did you mean ${near}?`
    return `no time zone that is known here, ${hint}`
  }
}

export interface Cron {
  cron: string
  timezone: string | undefined
}

/** The `count` times at which the pattern comes round after `from`, in ms since the epoch. Throws for what is no pattern. */
export function timesAfter({ cron, timezone }: Cron, from: number, count: number): number[] {
  const options = { currentDate: new Date(from), ...(timezone === undefined ? {} : { tz: timezone }) }
  const expression = CronExpressionParser.parse(cron, options)
  return Array.from({ length: count }, () => expression.next().getTime())
}

function isDuration(text: string): boolean {
  try {
    milliseconds(text)
    return true
  } catch {
    return false
  }
}

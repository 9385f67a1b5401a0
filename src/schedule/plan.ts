/** What there is to do so that Redis has the schedules that the files declare, and no more. */
import { isDeepStrictEqual } from 'node:util'
import { shorten } from '../job/problem.ts'
import type { Redaction } from '../job/redaction.ts'
import { formatMilliseconds } from '../units.ts'
import type { Declared } from './declared.ts'
import type { Scheduler } from './schedulers.ts'

/** What Redis has, and what the files say; in words. */
export interface Difference {
  what: string
  from: string
  to: string
}

export type Step =
  | { action: 'create' | 'keep'; schedule: Declared }
  /** `moved`: the one of another queue in whose place it comes. */
  | { action: 'change'; schedule: Declared; differs: Difference[]; moved?: Scheduler }
  /** Made by the same owner, and declared by no file any more. */
  | { action: 'orphan'; scheduler: Scheduler }

interface PlanOptions {
  /** Schedulers of nobody else are orphans. */
  owner: string
  redaction: Redaction
}

/**
 * One step for each schedule that is declared, and one for each orphan. A scheduler that another made, and whose id is
 * declared here, is taken over; all others of theirs are left alone.
 */
export function planOf(
  declared: readonly Declared[],
  present: readonly Scheduler[],
  { owner, redaction }: PlanOptions,
): Step[] {
  const isDeclared = (one: Scheduler) =>
    declared.some(({ id, queue }) => id === one.id && queue === one.queue)
  const left = new Set(present.filter(one => one.owner === owner && !isDeclared(one)))
  const steps = declared.map((schedule): Step => {
    const there = present.find(({ id, queue }) => id === schedule.id && queue === schedule.queue)
    if (there !== undefined) {
      const differs = differencesOf(schedule, there, owner, redaction)
      return differs.length === 0 ? { action: 'keep', schedule } : { action: 'change', schedule, differs }
    }
    const moved = [...left].find(({ id }) => id === schedule.id)
    if (moved === undefined) return { action: 'create', schedule }
    // Both would run it, if the old one waited for somebody to prune.
    left.delete(moved)
    const queue = { what: 'queue', from: moved.queue, to: schedule.queue }
    return { action: 'change', schedule, differs: [queue], moved }
  })
  return [...steps, ...[...left].map(scheduler => ({ action: 'orphan' as const, scheduler }))]
}

function differencesOf(to: Declared, from: Scheduler, owner: string, redaction: Redaction): Difference[] {
  const differs: Difference[] = []
  const compare = (
    what: string,
    was: unknown,
    is: unknown,
    print: (value: unknown) => string = value => shorten(value),
  ) => {
    if (!isDeepStrictEqual(was, is)) differs.push({ what, from: print(was), to: print(is) })
  }
  compare('made by', from.owner ?? 'others', owner, text)
  compare('job', from.job, to.job, text)
  compare('cron', from.cron, to.cron, text)
  compare('every', from.every, to.every, every)
  compare('timezone', from.timezone, to.timezone, text)
  compare('limit', from.limit, undefined)
  compare('startDate', from.startDate, undefined, date)
  compare('endDate', from.endDate, undefined, date)
  compare('args', from.args, asJson(to.args), value => shorten(redaction.apply(value)))
  const options = asJson(to.options) as Record<string, unknown>
  for (const name of new Set([...Object.keys(options), ...Object.keys(from.options)]))
    compare(name, from.options[name], options[name], value => shorten(sorted(value)))
  if (from.nextJob === 'lost')
    differs.push({ what: 'next run', from: 'lost, nothing makes another', to: 'planned anew' })
  return differs
}

/** Redis gives back the keys of an option in an order of its own. */
const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** As Redis gives it back. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const text = (value: unknown) => (typeof value === 'string' ? value : 'none')
const every = (value: unknown) => (value === undefined ? 'none' : formatMilliseconds(value as number))
const date = (value: unknown) => (value === undefined ? 'none' : new Date(value as number).toISOString())

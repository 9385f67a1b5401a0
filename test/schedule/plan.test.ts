import { expect, test } from 'vitest'
import { Redaction } from '../../src/job/redaction.ts'
import type { Declared } from '../../src/schedule/declared.ts'
import { planOf } from '../../src/schedule/plan.ts'
import type { Scheduler } from '../../src/schedule/schedulers.ts'
import { declaration } from './declaration.ts'

/** What Redis has of a schedule that `shop` applied. */
function present(schedule: Declared, more: Partial<Scheduler> = {}): Scheduler {
  const { from: _, options, ...rest } = schedule
  return {
    ...rest,
    options: { ...options },
    owner: 'shop',
    next: 1,
    nextJob: 'waits',
    paused: false,
    made: 1,
    ...more,
  }
}

function plan(declared: Declared[], schedulers: Scheduler[], redact: string[] = []): string[] {
  const steps = planOf(declared, schedulers, { owner: 'shop', redaction: new Redaction(redact) })
  return steps.map(step => {
    if (step.action === 'orphan') return `orphan ${step.scheduler.queue} ${step.scheduler.id}`
    const { id, queue } = step.schedule
    const differs =
      step.action === 'change' ? step.differs.map(({ what, from, to }) => `${what}: ${from} -> ${to}`) : []
    const moved = step.action === 'change' && step.moved !== undefined ? [`from ${step.moved.queue}`] : []
    return [`${step.action} ${queue} ${id}`, ...differs, ...moved].join('; ')
  })
}

const report = declaration()

test('creates what is not there, keeps what is as declared, leaves over what no file declares', () => {
  const sweep = declaration({ job: 'sweep', every: 60_000 })
  const old = present(declaration({ job: 'old' }))
  expect(plan([report, sweep], [present(sweep), old])).toEqual([
    'create default report',
    'keep default sweep',
    'orphan default old',
  ])
})

test('never counts as left over what others made: neither another project nor somebody by hand', () => {
  const { owner: _, ...byHand } = present(declaration({ job: 'by-hand' }))
  const ofOthers = present(declaration({ job: 'theirs' }), { owner: 'billing' })
  expect(plan([], [byHand, ofOthers])).toEqual([])
})

test('takes over one of another maker whose id is declared here', () => {
  const { owner: _, ...byHand } = present(report)
  expect(plan([report], [byHand])).toEqual(['change default report; made by: others -> shop'])
  expect(plan([report], [present(report, { owner: 'billing' })])).toEqual([
    'change default report; made by: billing -> shop',
  ])
})

test.each<[Partial<Scheduler>, string]>([
  [{ cron: '0 4 * * *' }, 'cron: 0 4 * * * -> 0 3 * * *'],
  [{ timezone: 'Europe/Berlin' }, 'timezone: Europe/Berlin -> UTC'],
  [{ job: 'other' }, 'job: other -> report'],
  [{ args: { a: 1 } }, 'args: {"a":1} -> {}'],
  [{ limit: 3 }, 'limit: 3 -> nothing'],
  [{ endDate: 0 }, 'endDate: 1970-01-01T00:00:00.000Z -> none'],
  [{ startDate: 0 }, 'startDate: 1970-01-01T00:00:00.000Z -> none'],
  [
    { options: { removeOnComplete: { count: 1000 }, attempts: 3 } },
    'removeOnFail: nothing -> {"count":5000}; attempts: 3 -> nothing',
  ],
  [{ nextJob: 'lost' }, 'next run: lost, nothing makes another -> planned anew'],
])('says what differs: %j', (more, differs) => {
  expect(plan([report], [present(report, more)])).toEqual([`change default report; ${differs}`])
})

test('from a pattern to an interval', () => {
  expect(plan([declaration({ every: 90_000 })], [present(report)])).toEqual([
    'change default report; cron: 0 3 * * * -> none; every: none -> 1.5m; timezone: UTC -> none',
  ])
})

test('shows nothing of a redacted field', () => {
  const secret = declaration({ args: { password: 'new', user: 'ada' } })
  expect(plan([secret], [present(secret, { args: { password: 'old' } })], ['password'])).toEqual([
    'change default report; args: {"password":"[Redacted]"} -> {"password":"[Redacted]","user":"ada"}',
  ])
})

test('one that goes to another queue takes the place of the old one, if that is ours and declared no more', () => {
  const moved = declaration({ queue: 'slow' })
  expect(plan([moved], [present(report)])).toEqual([
    'change slow report; queue: default -> slow; from default',
  ])
  expect(plan([moved], [present(report, { owner: 'billing' })])).toEqual(['create slow report'])
  expect(plan([moved], [present(moved), present(report)])).toEqual([
    'keep slow report',
    'orphan default report',
  ])
})

/** The option `schedule`: what is taken, what it becomes in the manifest, and what is said of the rest. */
import { describe, expect, expectTypeOf, it, test } from 'vitest'
import { z } from 'zod'
import { job } from '../../src/job/define.ts'
import { timesAfter } from '../../src/job/cron.ts'
import { discover } from '../../src/job/discover.ts'
import { inspectJobs } from '../../src/job/loader.ts'
import { readSchedules, type ScheduleFault } from '../../src/job/schedule.ts'
import { project } from '../helpers/project.ts'

function faultsOf(value: unknown): string[] {
  const faults: ScheduleFault[] = []
  const read = readSchedules(value, fault => faults.push(fault))
  expect(read === undefined).toBe(faults.length > 0)
  return faults.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const accepted = (value: unknown) => readSchedules(value, fault => expect.unreachable(fault.message))

test.each([
  ['0 3 * * *', [{ cron: '0 3 * * *' }]],
  ['*/10 0 3 * * 1-5', [{ cron: '*/10 0 3 * * 1-5' }]],
  ['@daily', [{ cron: '@daily' }]],
  ['0 12 * MAR THU', [{ cron: '0 12 * MAR THU' }]],
  [{ every: '5m' }, [{ every: 300_000 }]],
  [
    { every: 1_000, args: { since: new Date(0) } },
    [{ every: 1_000, args: { since: '1970-01-01T00:00:00.000Z' } }],
  ],
  [
    { key: 'night', cron: '0 3 * * *', timezone: 'Europe/Berlin', args: [1] },
    [{ key: 'night', cron: '0 3 * * *', timezone: 'Europe/Berlin', args: [1] }],
  ],
  [
    [
      { key: 'a', cron: '@hourly' },
      { key: 'b', every: '1d' },
    ],
    [
      { key: 'a', cron: '@hourly' },
      { key: 'b', every: 86_400_000 },
    ],
  ],
])('%j is taken', (value, entries) => expect(accepted(value)).toEqual(entries))

const NEITHER = "expected cron: '0 3 * * *' or every: '5m'"
const FIELDS =
  'expected a cron pattern of 5 fields, or of 6 that begin with the second, or @daily and the like'

test.each([
  ['', `: ${FIELDS}`],
  ['* * *', `: ${FIELDS}`],
  ['0 0 3 * * * 2026', `: ${FIELDS}`],
  ['5m', ": this is a duration: write { every: '5m' }"],
  [
    '0 25 * * *',
    ': not a cron pattern that ever comes round: Constraint error, got value 25 expected range 0-23',
  ],
  ['0 0 30 2 *', ': not a cron pattern that ever comes round: Invalid explicit day of month definition'],
  ['H 3 * * *', ': H is no fixed time: write a number'],
  ['H/15 3 * * THU', ': H is no fixed time: write a number'],
  [5, ": expected '0 3 * * *', { cron, ... }, { every, ... }, or a list of them"],
  [{}, `: ${NEITHER}`],
  [{ cron: '@daily', every: '5m' }, ': expected cron or every, not both'],
  [{ every: '999ms' }, 'every: expected at least 1s'],
  [{ every: 'soon' }, 'every: expected a duration such as 250ms, 30s, 5m, 2h or 1d, got "soon"'],
  [{ every: '5m', timezone: 'UTC' }, 'timezone: a time zone goes with cron'],
  [
    { cron: '@daily', timezone: 'Europe/Berln' },
    'timezone: no time zone that is known here, did you mean Europe/Berlin?',
  ],
  [
    { cron: '@daily', timezone: 'Atlantis' },
    'timezone: no time zone that is known here, such as Europe/Berlin or UTC',
  ],
  [{ crom: '@daily' }, 'crom: no such field is known, did you mean cron?'],
  [{ cron: '@daily', args: () => 1 }, 'args: not JSON'],
  [{ cron: '@daily', args: null }, 'args: BullMQ makes {} of null: leave it out'],
  [{ cron: '@daily', key: 'a:b' }, 'key: expected letters, digits and - _ . @ + = /'],
  [{ cron: '@daily', key: '17' }, 'key: expected a name, not a number alone'],
  [[], ': the list is empty: leave it out'],
  [['@daily'], "0: in a list each needs a key of its own, as in { key: 'nightly', ... }"],
  [
    [
      { key: 'a', cron: '@daily' },
      { key: 'a', cron: '@hourly' },
    ],
    '1.key: another one of the list has this key',
  ],
])('%j is refused', (value, fault) => expect(faultsOf(value)).toEqual([fault]))

it('wants args that are JSON', () => {
  expect(faultsOf({ cron: '@daily', args: { big: 1n } })).toEqual(['args: not JSON'])
})

describe('in a job file', () => {
  it('is part of the manifest, or of what is said of the file', async () => {
    const file = (schedule: string) =>
      `import { job } from 'bullmq-runner'; export default job({ run() {}, schedule: ${schedule} })`
    using dir = project({
      'jobs/a.ts': file(`{ every: '5m', args: { at: new Date(0) } }`),
      'jobs/b.ts': file(`'@daily'`),
      'jobs/c.ts': file(`[{ key: 'x', cron: '0 25 * * *', timezone: 'Mars' }, { key: 'y', every: '5ms' }]`),
      'jobs/d.ts': file(`['@daily']`),
    })
    const { jobs, broken } = await inspectJobs(discover(['jobs'], dir.dir).files)
    expect(jobs.map(({ name, schedule }) => ({ name, schedule }))).toEqual([
      { name: 'a', schedule: [{ every: 300_000, args: { at: '1970-01-01T00:00:00.000Z' } }] },
      { name: 'b', schedule: [{ cron: '@daily' }] },
    ])
    expect(broken.map(({ code, message }) => `${code} ${message.replaceAll(`${dir.dir}/`, '')}`)).toEqual([
      'JOB_OPTION_INVALID jobs/c.ts: option schedule[0].cron: got "0 25 * * *", not a cron pattern that ever comes round: Constraint error, got value 25 expected range 0-23; option schedule[0].timezone: got "Mars", no time zone that is known here, such as Europe/Berlin or UTC; option schedule[1].every: got "5ms", expected at least 1s',
      `JOB_OPTION_INVALID jobs/d.ts: option schedule[0]: got "@daily", in a list each needs a key of its own, as in { key: 'nightly', ... }`,
    ])
  })

  it('has args of the type that the schema takes', () => {
    const args = z.object({ day: z.string().transform(Number) })
    job({
      args,
      schedule: { cron: '@daily', args: { day: '1' } },
      run: ctx => expectTypeOf(ctx.args).toEqualTypeOf<{ day: number }>(),
    })
    // @ts-expect-error: the schema's output is not its input.
    job({ args, schedule: [{ key: 'a', every: '5m', args: { day: 1 } }], run() {} })
    // @ts-expect-error: a duration has a unit.
    job({ schedule: { every: '5' }, run() {} })
  })
})

it('counts the hours of a time zone, also over the end of summer time', () => {
  const from = Date.UTC(2026, 9, 24, 12)
  const times = timesAfter({ cron: '0 3 * * *', timezone: 'Europe/Berlin' }, from, 2)
  expect(times.map(time => new Date(time).toISOString())).toEqual([
    '2026-10-25T02:00:00.000Z',
    '2026-10-26T02:00:00.000Z',
  ])
})

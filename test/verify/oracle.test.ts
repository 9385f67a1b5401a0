/** What the oracle of `runner verify` says of histories written by hand. */
import { expect, it } from 'vitest'
import type { Entry } from '../../src/verify/journal.ts'
import { isViolated, judge, percentile, type Outcome } from '../../src/verify/oracle.ts'

const start = (at: number, replica: number, id = '1', fence = 1): Entry => ({
  what: 'start',
  at,
  replica,
  id,
  fence,
})
const end = (at: number, replica: number, id = '1', fence = 1): Entry => ({
  what: 'end',
  at,
  replica,
  id,
  fence,
})
const overlap = (at: number, replica: number, older: number): Entry => ({
  what: 'overlap',
  at,
  replica,
  id: '1',
  fence: 2,
  older: { fence: 1, replica: older },
})
const mark = (what: 'fault' | 'mended', at: number, fault: string, replica = 1): Entry => ({
  what,
  at,
  fault,
  replica,
})
const done: Outcome = { id: '1', state: 'completed', fence: 1, doomed: false }

it('finds nothing wrong with a job that was run once', () => {
  const verdict = judge([start(1, 1), end(2, 1)], [done])
  expect(verdict).toEqual({
    jobs: 1,
    runs: 1,
    lost: [],
    double: [],
    stale: [],
    failed: [],
    superseded: 0,
    recovery: [],
  })
  expect(isViolated(verdict)).toBe(false)
})

it('finds nothing wrong with a job that was run again after its replica was killed, and says how long that took', () => {
  const entries = [start(100, 1), mark('fault', 150, 'kill'), start(2_150, 2, '1', 2), end(2_200, 2, '1', 2)]
  const verdict = judge(entries, [{ ...done, fence: 2 }])
  expect(verdict).toMatchObject({ runs: 2, recovery: [2_000] })
  expect(isViolated(verdict)).toBe(false)
})

it.each([
  ['with no fault at all', []],
  ['while the older replica was blocked, which a lock has to survive', [mark('fault', 0, 'block')]],
  ['while the older replica was told to stop', [mark('fault', 0, 'term')]],
  ['while another replica was frozen', [mark('fault', 0, 'freeze', 3), mark('mended', 9_000, 'freeze', 3)]],
  [
    'more than a second after the older replica woke',
    [mark('fault', 0, 'freeze'), mark('mended', 1_000, 'freeze')],
  ],
])('calls a run double %s', (_what, marks) => {
  const entries = [start(1, 1), ...marks, start(3_000, 2, '1', 2), overlap(3_000, 2, 1), end(4_000, 1)]
  const verdict = judge(entries, [{ ...done, fence: 2 }])
  expect(verdict.double).toEqual(['1: run 2 (replica 2) while run 1 (replica 1)'])
  expect(verdict.superseded).toBe(0)
  expect(isViolated(verdict)).toBe(true)
})

it.each(['freeze', 'cut'])('calls a run superseded that started during a %s of the older replica', fault => {
  const entries = [
    start(1, 1),
    mark('fault', 10, fault),
    start(3_000, 2, '1', 2),
    overlap(3_000, 2, 1),
    mark('mended', 6_000, fault),
    end(6_100, 1),
  ]
  const verdict = judge(entries, [{ ...done, fence: 2 }])
  expect(verdict).toMatchObject({ double: [], superseded: 1, recovery: [2_990] })
  expect(isViolated(verdict)).toBe(false)
})

it('knows the older run by its fence, also when it began last, at a replica that was cut off', () => {
  const entries = [
    mark('fault', 10, 'cut'),
    start(3_000, 2, '1', 2),
    // It was taken before the cut, and waited behind a job that blocked its executor.
    start(3_100, 1, '1', 1),
    { ...overlap(3_100, 1, 2), fence: 1, older: { fence: 2, replica: 2 } } as Entry,
    mark('mended', 6_000, 'cut'),
    end(6_100, 1),
    end(6_200, 2, '1', 2),
  ]
  expect(judge(entries, [{ ...done, fence: 2 }])).toMatchObject({ double: [], superseded: 1 })
  // Without the cut nothing excuses it.
  const uncut = entries.filter(({ what }) => what !== 'fault' && what !== 'mended')
  expect(judge(uncut, [{ ...done, fence: 2 }]).double).toEqual([
    '1: run 1 (replica 1) while run 2 (replica 2)',
  ])
})

it.each<[string, Partial<Outcome>, object]>([
  ['lost', { state: 'active', fence: undefined }, { lost: ['1: active'] }],
  ['stale', { fence: 1 }, { stale: ['1: result of run 1 of 2'] }],
  ['failed', { state: 'failed', fence: undefined, reason: 'stalled' }, { failed: ['1: stalled'] }],
])('names a job that was %s', (_what, outcome, found) => {
  const entries = [start(1, 1), end(2, 1), start(3, 2, '1', 2), end(4, 2, '1', 2)]
  const verdict = judge(entries, [{ ...done, ...outcome }])
  expect(verdict).toMatchObject(found)
  expect(isViolated(verdict)).toBe(true)
})

it('lets a job fail that is meant to, and looks at no other jobs than those it is asked about', () => {
  const entries = [start(1, 1), start(1, 1, '2'), overlap(2, 2, 1)]
  const doomed: Outcome = { id: '2', state: 'failed', fence: undefined, doomed: true, reason: 'memory' }
  const verdict = judge(entries, [doomed])
  expect(verdict).toMatchObject({ jobs: 1, runs: 1 })
  expect(isViolated(verdict)).toBe(false)
})

it('takes percentiles of sorted times', () => {
  const times = Array.from({ length: 100 }, (_, i) => i + 1)
  expect([0.5, 0.99].map(share => percentile(times, share))).toEqual([51, 100])
  expect(percentile([7], 0.99)).toBe(7)
})

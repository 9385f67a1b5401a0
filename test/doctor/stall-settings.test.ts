/** What the doctor says of settings and measurements written by hand. */
import { expect, it } from 'vitest'
import type { QueueFacts, Setup } from '../../src/doctor/facts.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { stallFindings } from '../../src/doctor/stall-settings.ts'
import { measurementsOf } from '../../src/fleet/measurements.ts'

const setup: Setup = {
  who: '2 replicas',
  lockDuration: 8_000,
  stalledInterval: 4_000,
  maxStalledCount: 3,
  grace: 25_000,
  blockLimit: 300_000,
}

type Measured = Partial<Record<'run' | 'block' | 'delay', number[]>>

function facts(measured: Measured, ...setups: Partial<Setup>[]): QueueFacts {
  const all = measurementsOf([])
  for (const [metric, values] of Object.entries(measured))
    for (const value of values) all[metric as keyof Measured].record(value)
  return {
    queue: 'q',
    setups: [{}, ...setups].slice(-1).map(own => ({ ...setup, ...own })),
    measured: all,
    plain: 0,
  }
}

const said = (of: QueueFacts, check: string) =>
  stallFindings(of).find(finding => finding.check === check) as Finding

it('finds nothing wrong with the defaults on a healthy host', () => {
  const healthy = facts({ run: [20, 3_000], delay: [2, 40], block: [1_200] })
  expect(stallFindings(healthy).filter(({ level }) => level !== 'ok')).toEqual([])
})

it('finds nothing wrong with the defaults where nothing was measured', () => {
  const findings = stallFindings(facts({}))
  expect(findings).toHaveLength(6)
  expect(findings.filter(({ level, fix }) => level !== 'ok' || fix !== null)).toEqual([])
})

it.each<[string, Measured, Partial<Setup>, Partial<Finding>]>([
  [
    'lockDuration',
    { delay: [4_000] },
    {},
    { level: 'error', actual: '8s: locks run out while jobs run', fix: '--lock-duration 33s, or auto' },
  ],
  ['lockDuration', { delay: [1_024] }, {}, { level: 'warning', fix: '--lock-duration 9s, or auto' }],
  ['lockDuration', { delay: [1_024] }, { lockDuration: 9_000 }, { level: 'ok', fix: null }],
  [
    'lockDuration',
    { delay: [2] },
    { lockDuration: 30_000, stalledInterval: 30_000 },
    { level: 'warning', actual: '30s: jobs of a killed replica wait up to 1m' },
  ],
  [
    'stalledInterval',
    {},
    { stalledInterval: 30_000 },
    { level: 'warning', expected: expect.stringMatching(/at most 4s/) as string },
  ],
  ['maxStalledCount', {}, { maxStalledCount: 0 }, { level: 'warning', fix: '--max-stalled 3' }],
  ['maxStalledCount', {}, { maxStalledCount: 50 }, { level: 'warning' }],
  [
    'grace',
    { run: [32_768] },
    {},
    {
      level: 'warning',
      fix: '--grace 33s; on Kubernetes terminationGracePeriodSeconds: 48',
    },
  ],
  [
    'grace',
    { run: [7_200_000] },
    {},
    { level: 'warning', fix: expect.stringMatching(/ctx\.checkpoint/) as string },
  ],
  [
    'block.limit',
    { block: [200_000] },
    {},
    { level: 'warning', fix: expect.stringMatching(/runner fleet pardon/) as string },
  ],
  ['block.limit', {}, { blockLimit: false }, { level: 'warning', fix: '--block-limit 5m' }],
  [
    'plain worker',
    { block: [6_000] },
    {},
    { level: 'warning', fix: expect.stringMatching(/lockDuration 13/) as string },
  ],
])('%s: of %j and %j', (check, measured, own, expected) => {
  expect(said(facts(measured, own), check)).toMatchObject({ queue: 'q', ...expected })
})

it('judges replicas that are set up in different ways one by one', () => {
  const two = { ...facts({}), setups: [setup, { ...setup, who: '1 replica', stalledInterval: 30_000 }] }
  const findings = stallFindings(two).filter(({ check }) => check === 'stalledInterval')
  expect(findings.map(({ level, actual }) => [level, actual])).toEqual([
    ['ok', '4s at 2 replicas'],
    ['warning', '30s: jobs of a killed replica wait up to 38s at 1 replica'],
  ])
})

it('calls a block beyond the lock an error where a BullMQ worker holds such locks itself', () => {
  const blocked = facts({ block: [6_000] })
  expect(said(blocked, 'plain worker').level).toBe('warning')
  expect(said({ ...blocked, plain: undefined }, 'plain worker').level).toBe('warning')
  expect(said({ ...blocked, plain: 2 }, 'plain worker')).toMatchObject({
    level: 'error',
    actual: expect.stringMatching(/^6\.\ds, and 2 work it: such a job runs twice$/) as string,
  })
  expect(said({ ...facts({ block: [1_500] }), plain: 2 }, 'plain worker').level).toBe('ok')
})

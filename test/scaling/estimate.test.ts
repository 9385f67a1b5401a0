import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { QueueSignal } from '../../src/redis/queue-signal.ts'
import { estimate, type Estimate, type ScaleFacts } from '../../src/scaling/estimate.ts'

const EMPTY: QueueSignal = {
  queue: 'mail',
  paused: false,
  waiting: 0,
  prioritized: 0,
  active: 0,
  delayed: 0,
  dueDelayed: 0,
  dueNow: 0,
  isOrphaned: false,
  waitingChildren: 0,
  failed: 0,
  completed: 0,
  nextDue: null,
  oldestAge: null,
  globalConcurrency: null,
  rateLimit: null,
}
const RULES: ScaleFacts['rules'] = {
  minReplicas: 0,
  maxReplicas: undefined,
  drainTarget: 60_000,
  latencyObjective: 60_000,
  jobTime: 1_000,
  scaleLead: 45_000,
}

const of = (
  signal: Partial<QueueSignal>,
  { rules, ...facts }: Partial<Omit<ScaleFacts, 'rules'>> & { rules?: Partial<ScaleFacts['rules']> } = {},
): Estimate =>
  estimate({
    signal: { ...EMPTY, ...signal },
    rules: { ...RULES, ...rules },
    concurrency: 5,
    concurrencyFrom: 'replicas',
    jobTime: 2_000,
    jobTimeFrom: 'measured',
    replicas: 1,
    ...facts,
  })

describe('the sum', () => {
  it('wants what runs with a fifth of the slots free, and what waits done within the target', () => {
    // 40 of 40 slots are in use: 40 / 4.
    expect(of({ active: 40 })).toMatchObject({ terms: { busy: 10, drain: 0, late: 0 }, desiredReplicas: 10 })
    // 300 jobs of 2 s are 600 s of work; one replica does 5 * 60 s of it in a minute.
    expect(of({ waiting: 200, prioritized: 60, dueDelayed: 40 })).toMatchObject({
      runnable: 300,
      terms: { busy: 0, drain: 2, late: 0 },
      desiredReplicas: 2,
    })
    expect(of({ active: 2, waiting: 75 })).toMatchObject({
      terms: { busy: 0.5, drain: 0.5 },
      desiredReplicas: 1,
    })
    expect(of({ active: 2, waiting: 76 })).toMatchObject({ desiredReplicas: 2 })
    expect(of({ waiting: 300 }, { rules: { drainTarget: 30_000 } })).toMatchObject({ desiredReplicas: 4 })
  })

  it('does not round a whole number up for a hair of arithmetic', () => {
    for (let replicas = 1; replicas <= 200; replicas++) {
      expect(of({ active: replicas * 12 }, { concurrency: 15 }).desiredReplicas).toBe(replicas)
      expect(of({ waiting: replicas * 21 }, { concurrency: 7, jobTime: 20_000 }).desiredReplicas).toBe(
        replicas,
      )
    }
  })

  it('adds one while a job waits longer than it may', () => {
    expect(of({ active: 4, waiting: 1, oldestAge: 60_000 })).toMatchObject({
      terms: { late: 0 },
      desiredReplicas: 2,
    })
    expect(of({ active: 4, waiting: 1, oldestAge: 60_001 })).toMatchObject({
      terms: { late: 1 },
      desiredReplicas: 3,
    })
  })

  it('asks a full fleet for more each time, however wrong the job time is', () => {
    let replicas = 1
    for (let tick = 0; tick < 12; tick++)
      replicas = of({ active: replicas * 5, waiting: 10_000 }, { jobTime: 1, replicas }).desiredReplicas
    expect(replicas).toBeGreaterThan(10)
  })

  it('stays where it is when the fleet keeps up, which a backlog alone would not', () => {
    // 8 jobs at once in the mean, none waits: 2 replicas have them, and 2 are wanted.
    expect(of({ active: 8 }, { replicas: 2 }).desiredReplicas).toBe(2)
  })

  it('knows no drain time without a replica, and needs none where nothing waits', () => {
    expect(of({ waiting: 10 }, { replicas: 0 }).drainTime).toBeNull()
    expect(of({ waiting: 10 }, { replicas: 2 }).drainTime).toBe(2_000)
    expect(of({}, { replicas: 0 }).drainTime).toBe(0)
  })
})

describe('what bounds it', () => {
  it('wants no more replicas than have a slot under the global concurrency', () => {
    const held = of({ active: 20, waiting: 3_000, globalConcurrency: 12 })
    expect(held).toMatchObject({
      desiredReplicas: 3,
      limits: [{ by: 'globalConcurrency', replicas: 3, binds: true }],
    })
    expect(of({ active: 1, globalConcurrency: 12 }).limits).toEqual([
      { by: 'globalConcurrency', replicas: 3, binds: false },
    ])
  })

  it('wants no more than the rate limit keeps busy, if it is known how long a job takes', () => {
    // 10 a second, of 2 s each: 20 at once, with a fifth free 25 slots.
    const rateLimit = { max: 10, duration: 1_000 }
    expect(of({ waiting: 100_000, rateLimit })).toMatchObject({
      desiredReplicas: 5,
      limits: [{ by: 'rateLimit', replicas: 5, binds: true }],
    })
    expect(of({ waiting: 3_000, rateLimit }, { jobTimeFrom: 'setting' })).toMatchObject({
      desiredReplicas: 20,
      limits: [],
    })
  })

  it('keeps to the least and the most that were set, and says which holds', () => {
    expect(of({ waiting: 10_000 }, { rules: { maxReplicas: 7 } })).toMatchObject({
      desiredReplicas: 7,
      wanted: 67,
      limits: [{ by: 'maxReplicas', replicas: 7, binds: true }],
    })
    expect(of({}, { rules: { minReplicas: 2 } })).toMatchObject({ desiredReplicas: 2, least: 2 })
    const both = of({ waiting: 10_000, globalConcurrency: 5 }, { rules: { maxReplicas: 7 } })
    expect(both.limits.filter(({ binds }) => binds).map(({ by }) => by)).toEqual(['globalConcurrency'])
    // A minimum is a wish to have them, whatever they find to do.
    expect(of({ globalConcurrency: 5 }, { rules: { minReplicas: 2 } }).desiredReplicas).toBe(2)
  })

  it('wants of a paused queue those that finish what runs, and none for what waits', () => {
    expect(of({ paused: true, active: 10, waiting: 9_000, oldestAge: 3_600_000 })).toMatchObject({
      desiredReplicas: 2,
      runnable: 0,
      terms: { drain: 0, late: 0 },
    })
    expect(of({ paused: true, waiting: 9_000, dueDelayed: 3 }).desiredReplicas).toBe(0)
    expect(of({ paused: true, active: 1 }).desiredReplicas).toBe(1)
  })
})

describe('pods that take one job each', () => {
  const pods = (signal: Partial<QueueSignal>) => of(signal).pods

  it('are started for what waits and is due, not for what runs or is due within the lead', () => {
    expect(pods({ waiting: 3, prioritized: 2, dueNow: 1, dueDelayed: 9, active: 4 })).toBe(6)
    expect(pods({ dueDelayed: 9, active: 4 })).toBe(0)
    expect(pods({ paused: true, waiting: 3, active: 1, isOrphaned: true })).toBe(0)
  })

  it('are one more where a job lost its pod: nothing waits, and nobody is there to find it', () => {
    expect(of({ active: 1, isOrphaned: true }, { replicas: 0 })).toMatchObject({ runnable: 0, pods: 1 })
    expect(pods({ active: 3, isOrphaned: true, waiting: 2 })).toBe(3)
  })

  it('are no more than may run under the global concurrency, beside what runs', () => {
    expect(pods({ waiting: 9, active: 2, globalConcurrency: 5 })).toBe(3)
    expect(pods({ waiting: 9, active: 5, globalConcurrency: 5 })).toBe(0)
    expect(pods({ waiting: 9, active: 1, globalConcurrency: 1, isOrphaned: true })).toBe(1)
  })
})

it('is 0 only where nothing runs, waits or is due soon: nobody else would move what is delayed', () => {
  expect(of({}).desiredReplicas).toBe(0)
  expect(of({ delayed: 5, failed: 9, waitingChildren: 3, nextDue: 3_600_000 }).desiredReplicas).toBe(0)
  for (const one of [{ active: 1 }, { waiting: 1 }, { prioritized: 1 }, { dueDelayed: 1 }])
    expect(of(one, { jobTime: 1 }).desiredReplicas).toBe(1)
  const count = fc.nat(1_000_000)
  const limit = fc.option(fc.integer({ min: 1, max: 1_000 }))
  fc.assert(
    fc.property(
      fc.record({
        active: count,
        waiting: count,
        prioritized: count,
        dueDelayed: count,
        globalConcurrency: limit,
      }),
      fc.double({ min: 0.01, max: 1_000_000, noNaN: true }),
      fc.integer({ min: 1, max: 500 }),
      (signal, jobTime, concurrency) => {
        const { desiredReplicas, runnable } = of(signal, { jobTime, concurrency })
        expect(Number.isInteger(desiredReplicas)).toBe(true)
        expect(desiredReplicas > 0).toBe(runnable + signal.active > 0)
      },
    ),
  )
})

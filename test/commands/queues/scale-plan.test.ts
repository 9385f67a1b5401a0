/** The number in words: each part of it, and what would change it. */
import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planText } from '../../../src/commands/queues/plan-text.ts'
import type { QueueSignal } from '../../../src/redis/queue-signal.ts'
import { estimate, type ScaleFacts } from '../../../src/scaling/estimate.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { runner } from '../../helpers/runner.ts'

let redis: TestRedis
let mail: Queue
beforeAll(async () => {
  redis = await startRedis()
  mail = new Queue('mail', { connection: redis.client() })
  await mail.addBulk(Array.from({ length: 130 }, () => ({ name: 'a', data: {} })))
  const other = new Queue('other', { connection: redis.client() })
  await other.waitUntilReady()
  await other.close()
})
afterAll(async () => {
  await mail.close()
  await redis.stop()
})

const plan = (...words: string[]) =>
  runner(['queues', 'scale-plan', ...words, '--redis', redis.url], { cwd: import.meta.dirname })

it('says where the number comes from, of one queue or all, and what it would be', async () => {
  const text = await plan('mail', '--job-time', '10s')
  const json = await plan('-o', 'jsonl', '--job-time', '10s', '--drain-target', '30s', '--min-replicas', '1')
  expect(text).toMatchObject({ code: 0 })
  expect(text.stdout).toMatch(
    /^mail: 3 replicas wanted, 0 live\n +busy +0 active \/ \(0.8 x 10 at once\) +0\n/,
  )
  expect(text.stdout).toMatch(/\n +drain +\(130 waiting\) x 10s \/ \(10 at once x 1m\) +2.17\n/)
  expect(text.stdout).toContain('no run was measured: that a job takes 10s is assumed, see --job-time\n')
  expect(
    json.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as object),
  ).toMatchObject([
    { queue: 'mail', desiredReplicas: 5, terms: { drain: 4.333 } },
    { queue: 'other', desiredReplicas: 1, runnable: 0 },
  ])
})

describe('in words', () => {
  const SIGNAL: QueueSignal = {
    queue: 'mail',
    paused: false,
    waiting: 300,
    prioritized: 20,
    active: 10,
    delayed: 2,
    dueDelayed: 1,
    dueNow: 0,
    isOrphaned: false,
    waitingChildren: 4,
    failed: 0,
    completed: 0,
    nextDue: 600_000,
    oldestAge: 90_000,
    globalConcurrency: 20,
    rateLimit: { max: 100, duration: 1_000 },
  }
  const rules: ScaleFacts['rules'] = {
    minReplicas: 0,
    maxReplicas: 40,
    drainTarget: 60_000,
    latencyObjective: 60_000,
    jobTime: 1_000,
    scaleLead: 45_000,
  }
  const of = (signal: Partial<QueueSignal> = {}, more: Partial<ScaleFacts> = {}) =>
    planText(
      estimate({
        signal: { ...SIGNAL, ...signal },
        rules,
        concurrency: 5,
        concurrencyFrom: 'replicas',
        jobTime: 2_000,
        jobTimeFrom: 'measured',
        replicas: 2,
        ...more,
      }),
    )

  it('has each term, each bound, which of them holds, and what to do about it', () => {
    expect(of().split('\n')).toEqual([
      'mail: 4 replicas wanted, 2 live',
      '    busy      10 active / (0.8 x 5 at once)                                              2.5',
      '    drain     (300 waiting + 20 prioritized + 1 due within 45s) x 2s / (5 at once x 1m)  2.14',
      '    late      the oldest has waited 1.5m, it may 1m                                      1',
      '    sum       busy and drain, rounded up, and late                                       6',
      '    at most   maxReplicas                                                                40',
      '    at most   20 jobs at once in all replicas / 5: this holds it down                    4',
      '    at most   100 jobs in 1s x 2s / (0.8 x 5 at once)                                    50',
      '    at least  something runs, waits or is due                                            1',
      '  - more would find no slot: runner queues scale mail <n>',
      '  - one more for each 150 jobs that wait beside them',
      '  - one more for each 4 jobs that run beside them',
      '  - a delayed job is due in 10m: it counts in 9.3m',
      '  - 4 jobs with children do not count before those are done',
      '  - the 2 replicas that are live need 1.1m for what waits',
    ])
  })

  it('says of a paused queue that nothing is taken, and how it would be', () => {
    const lines = of({ paused: true, globalConcurrency: null, rateLimit: null }).split('\n')
    expect(lines[0]).toBe('mail: 2 replicas wanted, 2 live')
    expect(lines[1]).toMatch(/busy +10 active \/ \(5 at once\) +2$/)
    expect(lines[2]).toMatch(/drain +paused: nothing is taken +0$/)
    expect(lines).toContain('  - paused: runner queues resume mail')
  })

  it('says what is only assumed', () => {
    const text = of({}, { concurrencyFrom: 'setting', jobTimeFrom: 'setting', replicas: 0 })
    expect(text).toContain('no replica is live: 5 at once is what the settings say')
    expect(text).toContain('no run was measured: that a job takes 2s is assumed')
    // A rate limit is no bound as long as it is not known how long a job takes.
    expect(text).not.toContain('100 jobs in 1s')
  })
})

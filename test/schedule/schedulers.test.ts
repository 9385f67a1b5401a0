/** Against a real Redis: what is written is what is read, and what becomes of schedules that no longer run. */
import { Queue } from 'bullmq'
import * as fc from 'fast-check'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { toJobsOptions } from '../../src/job/enqueue-options.ts'
import { Redaction } from '../../src/job/redaction.ts'
import { scheduleTimes } from '../../src/redis/schedule-times.ts'
import { applyPlan } from '../../src/schedule/apply.ts'
import type { Declared } from '../../src/schedule/declared.ts'
import { nextRuns } from '../../src/schedule/next-runs.ts'
import { overdueOf, type Overdue } from '../../src/schedule/overdue.ts'
import { planOf, type Step } from '../../src/schedule/plan.ts'
import { Schedulers, type Scheduler } from '../../src/schedule/schedulers.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { declaration } from './declaration.ts'

const OWNER = 'shop'
const HOUR = 3_600_000

let redis: TestRedis
let client: Redis
let queue: Queue
let schedulers: Schedulers
beforeAll(async () => {
  redis = await startRedis()
  client = redis.client()
  queue = new Queue('default', { connection: client })
  schedulers = new Schedulers(client, 'bull')
})
beforeEach(() => client.flushall())
afterAll(() => redis.stop())

async function plan(declared: Declared[]): Promise<Step[]> {
  return planOf(declared, await schedulers.list(['default']), { owner: OWNER, redaction: new Redaction([]) })
}

/** The actions that were carried out. */
async function apply(...declared: Declared[]): Promise<string[]> {
  const done = await applyPlan(await plan(declared), schedulers, { owner: OWNER, prune: true })
  return done.map(({ action }) => action)
}

async function overdueSchedulers(
  queues: string[],
  now: number,
): Promise<(Scheduler & { overdue: Overdue })[]> {
  return (await schedulers.list(queues)).flatMap(scheduler => {
    const overdue = overdueOf(scheduler, now)
    return overdue === undefined ? [] : [{ ...scheduler, overdue }]
  })
}

const keep = fc.oneof(fc.boolean(), fc.record({ count: fc.nat(9_999) }), fc.record({ age: fc.nat(9_999) }))
const options = fc
  .record(
    {
      attempts: fc.integer({ min: 1, max: 1_000_000 }),
      priority: fc.integer({ min: 0, max: 2_097_151 }),
      backoff: fc.record({
        type: fc.constantFrom('fixed', 'exponential'),
        delay: fc.nat(1e9),
        jitter: fc.nat(100).map(percent => percent / 100),
      }),
      removeOnComplete: keep,
      removeOnFail: keep,
    },
    { requiredKeys: [] },
  )
  .map(given => toJobsOptions(given))
const args = fc.jsonValue().filter(value => value !== null)
const timing = fc.oneof(
  fc.record({ every: fc.integer({ min: 1_000, max: 1e9 }) }),
  fc.record({ cron: fc.constantFrom('0 3 * * *', '*/5 * * * * *', '@weekly') }),
)

it('whatever is applied is then as declared, and what is in Redis has all of it', async () => {
  const schedule = fc.record({ timing, args, options })
  await fc.assert(
    fc.asyncProperty(schedule, schedule, async (first, second) => {
      await client.flushall()
      for (const { timing: when, ...rest } of [first, second]) {
        const declared = declaration({ ...when, ...rest })
        await apply(declared)
        expect((await plan([declared])).map(({ action }) => action)).toEqual(['keep'])
      }
      // One next job, made with the options of the job.
      const pending = await queue.getJobs(['delayed', 'waiting', 'prioritized'])
      expect(pending.map(job => [job.name, job.data, job.opts.attempts])).toEqual([
        ['report', JSON.parse(JSON.stringify(second.args)), second.options.attempts ?? 0],
      ])
    }),
    { numRuns: 40 },
  )
})

it('leaves the next run of an unchanged interval where it is', async () => {
  const sweep = declaration({ job: 'sweep', every: HOUR })
  await apply(sweep)
  const [before] = await schedulers.list(['default'])
  expect(await apply(sweep)).toEqual([])
  // Other args do not begin it anew either.
  expect(await apply({ ...sweep, args: { all: true } })).toEqual(['change'])
  expect(await schedulers.list(['default'])).toEqual([{ ...before, args: { all: true } }])
})

it('does not lose a run that is due and still waits when its schedule is changed', async () => {
  const later = { day: 2 }
  await apply(declaration({ cron: '* * * * * *', args: { day: 1 } }))
  const nextOf = async () => (await schedulers.list(['default']))[0]?.next ?? Infinity
  await expect.poll(async () => (await nextOf()) <= Date.now(), { interval: 20 }).toBe(true)
  await apply(declaration({ cron: '0 3 * * *', args: later }))
  // It is to be run at once, and then the pattern counts.
  expect(await nextOf()).toBeLessThanOrEqual(Date.now())
  expect((await queue.getJobs()).map(job => job.data)).toEqual([later])
  await apply(declaration({ cron: '0 4 * * *', args: later }))
  expect((await queue.getJobs()).map(job => job.data)).toEqual([later])
})

it('waits while a job of the next time is in the way, and says so when it stays', async () => {
  const report = declaration({ cron: '0 3 * * *' })
  await apply(report)
  const [{ next } = { next: 0 }] = await schedulers.list(['default'])
  await schedulers.remove('default', 'report')
  // As one that was promoted, run, and is kept.
  const key = `bull:default:repeat:report:${next}`
  await client.hset(key, 'name', 'report')
  await expect(apply(report)).rejects.toMatchObject({
    code: 'SCHEDULE_TAKEN',
    message: expect.stringMatching(/^schedule report: queue default keeps a job of its next time already/),
  })
  await client.pexpire(key, 150)
  expect(await apply(report)).toEqual(['create'])
  expect(await schedulers.list(['default'])).toMatchObject([{ next, nextJob: 'waits' }])
})

it('plans anew what has lost its next job, and says it of what is overdue', async () => {
  const all = ['gone', 'paused', 'late', 'fine'].map(job => declaration({ job, queue: `of-${job}` }))
  for (const one of all) await schedulers.upsert(one, OWNER)
  const queues = all.map(one => one.queue)
  await client.del(...(await client.keys('bull:of-gone:repeat:gone:*')))
  await client.del('bull:of-gone:delayed')
  await new Queue('of-paused', { connection: client }).pause()
  const overdue = async (now: number) =>
    (await overdueSchedulers(queues, now)).map(one => [one.id, one.overdue])
  const [{ next } = { next: 0 }] = await schedulers.list(['of-fine'])
  expect(await overdue(next + 60_000)).toEqual([])
  // One that was applied again meanwhile has its next run ahead.
  await client.zincrby('bull:of-fine:repeat', HOUR, 'fine')
  expect(await overdue(next + 61_000)).toEqual([
    ['gone', { by: 61_000, reason: 'its next job is gone, so that no other is made' }],
    ['late', { by: 61_000, reason: 'no worker has taken it from queue of-late' }],
    ['paused', { by: 61_000, reason: 'queue of-paused is paused' }],
  ])
  const [gone] = all as [Declared]
  const steps = planOf([gone], await schedulers.list(['of-gone']), {
    owner: OWNER,
    redaction: new Redaction([]),
  })
  expect(steps).toMatchObject([{ action: 'change', differs: [{ what: 'next run' }] }])
  await applyPlan(steps, schedulers, { owner: OWNER, prune: false })
  expect(await schedulers.list(['of-gone'])).toMatchObject([{ nextJob: 'waits' }])
})

it('one that has come to its own end is not overdue', async () => {
  await queue.upsertJobScheduler('twice', { every: HOUR, limit: 1 }, { name: 'report' })
  await client.del(...(await client.keys('bull:default:repeat:twice:*')), 'bull:default:wait')
  expect(await overdueSchedulers(['default'], Date.now() + HOUR)).toEqual([])
})

it('tells when schedules are due, and nothing of one that has come to its own end', async () => {
  const told = async (name = 'default') =>
    (await scheduleTimes(client, 'bull', name)).map(one => `${one.queue} ${one.schedule}`)
  await queue.upsertJobScheduler('twice', { every: HOUR, limit: 1 }, { name: 'report' })
  await queue.upsertJobScheduler('hourly', { every: HOUR }, { name: 'report' })
  await new Queue('other', { connection: client }).upsertJobScheduler('hourly', { every: HOUR })
  await client.zadd('bull:default:repeat', 1, 'twice', 2, 'hourly')
  const [first = ''] = await client.keys('bull:default:repeat:twice:*')
  await client.rename(first, 'bull:default:repeat:twice:1')
  // Its last job is still to be run, and nobody does.
  expect(await told()).toEqual(['default twice', 'default hourly'])
  expect(await told('other')).toEqual(['other hourly'])
  await client.hset('bull:default:repeat:twice:1', 'processedOn', 5)
  expect(await told()).toEqual(['default hourly'])
  await client.del('bull:default:repeat:twice:1')
  expect(await told()).toEqual(['default hourly'])
  // By its date, where its number is not reached.
  await client.hset('bull:default:repeat:twice', 'limit', 9)
  expect(await told()).toEqual(['default twice', 'default hourly'])
  await client.hset('bull:default:repeat:twice', 'endDate', 3)
  expect(await told()).toEqual(['default hourly'])
  // Those that have ended stand in front, and hide none.
  const ended = Array.from({ length: 150 }, (_, i) => `ended-${i}`)
  for (const id of ended) await client.hset(`bull:default:repeat:${id}`, { ic: 1, limit: 1 })
  await client.zadd('bull:default:repeat', ...ended.flatMap(id => [1, id]))
  expect(await told()).toEqual(['default hourly'])
})

it('reads the schedules of others, and passes over what is none, without a change', async () => {
  const endDate = Date.now() + 2.5 * HOUR
  await queue.upsertJobScheduler(
    'theirs',
    { every: HOUR, endDate, limit: 9 },
    { name: 'report', data: { a: 1 } },
  )
  await client.zadd('bull:default:repeat', 1, 'report::::0 3 * * *', 2, 'dangling')
  const keys = await client.keys('*')
  const said: string[] = []
  const all = await schedulers.list(['default', 'default', 'none'], line => said.push(line))
  expect(all).toMatchObject([{ id: 'theirs', job: 'report', every: HOUR, endDate, limit: 9, args: { a: 1 } }])
  expect(all[0]).not.toHaveProperty('owner')
  expect(said).toEqual([expect.stringMatching(/^queue default: Legacy repeatable job metadata/)])
  expect((await client.keys('*')).sort()).toEqual(keys.sort())
  expect(await client.zcard('bull:default:repeat')).toBe(3)
  const [one] = all
  expect(nextRuns(one!, 9)).toEqual([0, 1, 2].map(i => one!.next + i * HOUR))
  expect(nextRuns({ ...one!, limit: 2 }, 9)).toHaveLength(2)
})

it('says when a pattern comes round in its time zone, as far as it can be read', async () => {
  await apply(declaration({ cron: '0 3 * * 1' }))
  const [one] = await schedulers.list(['default'])
  const [first = 0, second = 0, ...more] = nextRuns(one!, 2)
  expect(more).toEqual([])
  expect(new Date(first).toISOString()).toMatch(/T03:00:00/)
  expect(second - first).toBe(7 * 24 * HOUR)
  expect(nextRuns({ ...one!, cron: 'RRULE:FREQ=DAILY' }, 3)).toEqual([first])
})

import { Worker } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { schedulerFindings } from '../../src/doctor/schedulers.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { complaints, ward, type Ward } from './surveyed.ts'

let redis: TestRedis
let w: Ward
beforeAll(async () => {
  redis = await startRedis()
  w = await ward(redis)
})
afterAll(() => redis.stop())
beforeEach(() => redis.flush())
afterEach(() => void vi.restoreAllMocks())

const HOURLY = { every: 3_600_000 }

/** As it is when nobody has worked the queue for ten minutes. */
async function schedule(queue: string, id: string, job: string, repeat: object = HOURLY): Promise<void> {
  const now = Date.now
  vi.spyOn(Date, 'now').mockImplementation(() => now() - 600_000)
  await w.queue(queue).upsertJobScheduler(id, repeat, { name: job })
  vi.restoreAllMocks()
}

const told = async () => complaints(await schedulerFindings(await w.survey()), 'reports')

it('says why a scheduler is overdue, and what to do', async () => {
  await schedule('reports', 'hourly', 'report')
  const overdue = { check: 'scheduler hourly', level: 'error', expected: 'a next run in the future' }
  expect(await told()).toMatchObject([
    {
      ...overdue,
      actual: expect.stringMatching(/^20.*Z: 10m overdue; nobody works the queue$/) as string,
      fix: 'runner work --queue reports',
    },
  ])
  await w.replica({ queues: { reports: 1 }, jobs: ['report'] })
  expect(await told()).toMatchObject([
    { ...overdue, fix: expect.stringMatching(/^more --concurrency/) as string },
  ])
  await w.queue('reports').pause()
  expect(await told()).toMatchObject([{ ...overdue, fix: 'runner queues resume reports' }])
  await w.queue('reports').drain(true)
  const [next = ''] = await redis.client().zrange('bull:reports:repeat', '0', '0')
  expect(next).toBe('hourly')
  for (const key of await redis.client().keys('bull:reports:repeat:hourly:*')) await redis.client().del(key)
  expect(await told()).toMatchObject([
    {
      ...overdue,
      actual: expect.stringMatching(/its next job is gone$/) as string,
      fix: "upsertJobScheduler('hourly', ...) once more",
    },
  ])
})

it('names the job that no replica of the queue has a handler for', async () => {
  await w.replica({ queues: { reports: 1 }, jobs: ['other'] })
  await w.queue('reports').upsertJobScheduler('nightly', { pattern: '0 3 * * *' }, { name: 'report' })
  expect(await told()).toEqual([
    {
      check: 'scheduler nightly',
      level: 'error',
      expected: 'a replica with a handler named report',
      actual: 'none: its jobs fail',
      fix: 'no job file here is named report: add it, or remove the jobs',
    },
  ])
})

it('leaves those alone that are in time, at their limit, or worked by BullMQ itself', async () => {
  await w.queue('reports').upsertJobScheduler('nightly', { pattern: '0 3 * * *' }, { name: 'report' })
  await schedule('reports', 'once', 'report', { ...HOURLY, limit: 1 })
  await schedule('reports', 'over', 'report', { ...HOURLY, endDate: Date.now() - 300_000 })
  expect(await told()).toEqual([])
  await schedule('reports', 'hourly', 'report')
  const connection = redis.client()
  const worker = new Worker('reports', () => Promise.resolve(), { connection })
  await expect.poll(async () => (await told()).length, { interval: 20 }).toBe(0)
  await worker.close()
})

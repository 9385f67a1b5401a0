import { afterAll, beforeAll, expect, it } from 'vitest'
import { Blockers, type Blocker } from '../../src/redis/blockers.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const REPORT: Blocker = { job: 'report', where: 'at jobs/report.ts:12:5', ms: 1_200, native: false, at: 1 }

it('is shared by all of one prefix, keeps the latest, and forgets who is pardoned', async () => {
  const client = redis.client()
  const [one, two, foreign] = [
    new Blockers(client, 'bull'),
    new Blockers(client, 'bull'),
    new Blockers(client, 'other'),
  ]
  await one.remember(REPORT)
  await one.remember({ ...REPORT, ms: 5_000, native: true })
  expect(await two.list()).toEqual(new Map([['report', { ...REPORT, ms: 5_000, native: true }]]))
  expect(await foreign.list()).toEqual(new Map())
  expect(await two.pardon('report')).toBe(true)
  expect(await one.pardon('report')).toBe(false)
  expect(await one.list()).toEqual(new Map())
  client.disconnect()
})

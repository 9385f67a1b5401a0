import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { unworkedFindings } from '../../src/doctor/unworked.ts'
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

it('says how many wait, for how long, and which queue the producer may have meant', async () => {
  await w.replica({ queues: { mail: 1 } })
  const now = Date.now()
  const queue = w.queue('mial')
  await queue.add('send', {}, { timestamp: now - 7_200_000 })
  await queue.add('send', {}, { priority: 5 })
  await queue.add('send', {}, { delay: 60_000 })
  const survey = await w.survey()
  const [complaint, ...others] = complaints(unworkedFindings(survey), 'mial')
  expect(others).toEqual([])
  expect(complaint).toMatchObject({
    check: 'workers',
    level: 'error',
    actual: '0 replicas, 0 other workers; 2 wait, the oldest for 2h, 1 delayed',
    fix: 'runner work --queue mial; did the producer mean mail?',
  })
  const later = unworkedFindings({ ...survey, now: now + 1e9 })
  expect(complaints(later, 'mail')).toEqual([])
})

it('is an error for a delay that is over, and a warning while it is not, or where workers are unseen', async () => {
  const queue = w.queue('late')
  await queue.add('send', {}, { delay: 60_000 })
  expect(complaints(unworkedFindings(await w.survey()), 'late')).toMatchObject([{ level: 'warning' }])
  await queue.add('send', {}, { delay: 1_000, timestamp: Date.now() - 60_000 })
  expect(complaints(unworkedFindings(await w.survey()), 'late')).toMatchObject([
    { level: 'error', actual: expect.stringContaining('1 whose delay is over, 1 delayed') as string },
  ])
  const unseen = unworkedFindings({ ...(await w.survey()), workers: undefined })
  expect(complaints(unseen, 'late')).toMatchObject([{ level: 'warning' }])
  expect(complaints(unseen, null)).toMatchObject([{ check: 'CLIENT LIST', level: 'unknown' }])
})

it('does not count a replica that is quiet, and says how to wake it', async () => {
  await w.replica({ queues: { mail: 1 }, quiet: true })
  await w.queue('mail').add('send', {})
  expect(complaints(unworkedFindings(await w.survey()), 'mail')).toMatchObject([
    { level: 'error', fix: 'CONT to a quiet replica (kill -CONT <pid>), or runner work --queue mail' },
  ])
})

it('warns of a paused queue only while jobs wait in it', async () => {
  await w.replica({ queues: { mail: 1 } })
  const queue = w.queue('mail')
  await queue.pause()
  expect(complaints(unworkedFindings(await w.survey()), 'mail')).toEqual([])
  await queue.add('send', {})
  expect(complaints(unworkedFindings(await w.survey()), 'mail')).toMatchObject([
    { check: 'paused', level: 'warning', fix: 'runner queues resume mail' },
  ])
})

it('knows a worker without a name by the lock that it holds', async () => {
  const client = redis.client()
  await w.queue('mail').addBulk(['send', 'send'].map(name => ({ name, data: {} })))
  await client.lmove('bull:mail:wait', 'bull:mail:active', 'RIGHT', 'LEFT')
  expect(complaints(unworkedFindings(await w.survey()), 'mail')).toMatchObject([{ level: 'error' }])
  await client.set('bull:mail:1:lock', 'token', 'EX', 30)
  const findings = unworkedFindings(await w.survey())
  expect(findings.find(({ check }) => check === 'workers')).toMatchObject({
    level: 'ok',
    actual: '0 replicas, 0 other workers, but somebody has a job of it',
  })
})

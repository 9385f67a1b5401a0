import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { handlerFindings } from '../../src/doctor/handlers.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { complaints, ward, type Ward } from './surveyed.ts'

let redis: TestRedis
let w: Ward
beforeAll(async () => {
  redis = await startRedis()
  w = await ward(redis)
})
afterAll(() => redis.stop())
beforeEach(async () => {
  await redis.flush()
  await w.replica({ queues: { mail: 1 }, jobs: ['send', 'known'] })
})

async function fail(name: string, reason: string): Promise<void> {
  const queue = w.queue('mail')
  const { id } = await queue.add(name, {})
  const client = redis.client()
  await client.lrem('bull:mail:wait', 1, id as string)
  await client.hset(`bull:mail:${id}`, 'failedReason', reason)
  await client.zadd('bull:mail:failed', Date.now(), id as string)
}

const REFUSED = 'NoHandlerError: no replica on queue mail has a handler named send-sms; known here: send'

it('says what waits and what failed for want of a handler, and where one may come from', async () => {
  await w.queue('mail').add('send-sms', {})
  await w.queue('mail').add('send-sms', {}, { delay: 60_000 })
  await fail('send-sms', REFUSED)
  await w.queue('mail').add('knowm', {})
  const findings = complaints(handlerFindings(await w.survey(['send-sms'])), 'mail')
  expect(findings).toEqual([
    {
      check: 'handlers',
      level: 'error',
      expected: 'a replica with a handler named knowm',
      actual: 'none: 1 wait and will fail (in 4 jobs)',
      fix: 'did the producer mean known? no job file here is named knowm: add it, or remove the jobs',
    },
    {
      check: 'handlers',
      level: 'error',
      expected: 'a replica with a handler named send-sms',
      actual: 'none: 2 wait and will fail, 1 failed for it (in 4 jobs)',
      fix: 'this folder has send-sms: start or deploy replicas of it (runner work)',
    },
  ])
})

it('warns of failed jobs that a retry would fail again, and of those whose handler came later', async () => {
  await fail('removed', 'it was fun')
  await fail('send', REFUSED)
  expect(complaints(handlerFindings(await w.survey()), 'mail')).toMatchObject([
    { level: 'warning', actual: 'none: 1 failed before (in 2 jobs)' },
    {
      level: 'warning',
      actual: 'there is one now, but 1 failed when there was none (in 2 jobs)',
      fix: 'retry these jobs, or remove them',
    },
  ])
})

it('says that it looked at a sample, which is both ends of what waits', async () => {
  const queue = w.queue('mail')
  await queue.addBulk(Array.from({ length: 300 }, () => ({ name: 'send', data: {} })))
  await queue.add('odd', {})
  const [only] = complaints(handlerFindings(await w.survey()), 'mail')
  expect(only?.actual).toBe('none: 1 wait and will fail (in a sample of 200 of 301 jobs)')
})

it('has nothing to say where no replica is live, and where each job has a handler', async () => {
  await w.queue('mail').add('send', {})
  await w.queue('elsewhere').add('whatever', {})
  const findings = handlerFindings(await w.survey())
  expect(findings).toMatchObject([{ queue: 'mail', level: 'ok', actual: 'one for each (in 1 job)' }])
})

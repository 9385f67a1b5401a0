import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { prefixFindings } from '../../src/doctor/prefixes.ts'
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

it('is an error where the queue that is worked is empty, and jobs wait under another prefix', async () => {
  await w.replica({ queues: { mail: 1 } })
  await w.queue('mail', 'shop').add('send', {})
  const findings = await prefixFindings(await w.survey())
  expect(complaints(findings, 'mail')).toEqual([
    {
      check: 'prefix',
      level: 'error',
      expected: 'jobs of this queue under prefix bull',
      actual: '1 wait under shop, which nobody works; none under bull',
      fix: "prefix: 'bull' in the producer's Queue, or --prefix shop for its replicas",
    },
  ])
})

it('is a warning where jobs wait under both, where the name is another, and where connections are unseen', async () => {
  await w.queue('mail').add('send', {})
  await w.queue('mail', 'shop').add('send', {})
  await w.queue('other', 'shop').add('send', {})
  const findings = await prefixFindings(await w.survey())
  expect(complaints(findings, 'mail')).toMatchObject([{ level: 'warning', fix: /./ }])
  expect(complaints(findings, 'other')).toMatchObject([{ level: 'warning' }])
  await w.queue('mail').drain()
  const unseen = { ...(await w.survey()), workers: undefined }
  expect(complaints(await prefixFindings(unseen), 'mail')).toMatchObject([{ level: 'warning' }])
})

it('names the prefix that has jobs, when there is nothing under the one that was asked about', async () => {
  await w.queue('mail', 'shop').addBulk([
    { name: 'send', data: {} },
    { name: 'send', data: {} },
  ])
  const lost = { check: 'prefix', actual: 'no queue at all; 2 wait under shop: mail', fix: '--prefix shop' }
  expect(complaints(await prefixFindings(await w.survey()), null)).toMatchObject([
    { level: 'error', ...lost },
  ])
  await w.replica({ queues: { mail: 1 } }, 'shop')
  // They are worked: it is who asks that has the wrong prefix.
  expect(complaints(await prefixFindings(await w.survey()), null)).toMatchObject([
    { level: 'warning', ...lost },
  ])
})

it('has nothing to say of another prefix that is worked, or empty', async () => {
  await w.queue('mail').add('send', {})
  await w.queue('mail', 'shop').add('send', {})
  await w.replica({ queues: { mail: 1 } }, 'shop')
  await w.queue('empty', 'toys').waitUntilReady()
  const findings = await prefixFindings(await w.survey())
  expect(findings.filter(({ level }) => level !== 'ok')).toEqual([])
})

it('says when it could not look at all keys', async () => {
  const part = { ...(await w.survey()), complete: false }
  expect(complaints(await prefixFindings(part), null)).toMatchObject([
    { level: 'unknown', actual: expect.stringContaining('too many keys') as string },
  ])
})

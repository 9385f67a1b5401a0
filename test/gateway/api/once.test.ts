/** Idempotency-Key: what is sent twice is done once, whatever became of the first try. */
import { Queue } from 'bullmq'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { IdempotencyKeys } from '../../../src/redis/idempotency.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { SHOP, served, type Served } from './served.ts'

let redis: TestRedis
let api: Served
let mail: Queue
beforeAll(async () => {
  redis = await startRedis()
  api = await served({ url: redis.url })
  mail = new Queue('mail', { connection: redis.client() })
})
afterAll(async () => {
  await mail.close()
  await api[Symbol.asyncDispose]()
  await redis.stop()
})
beforeEach(() => redis.flush())

const ada = { to: 'ada@example.com', times: 2 }
const send = (body: unknown, key: string, { token, query = '' }: { token?: string; query?: string } = {}) =>
  api.ask('POST', `/v1/jobs/emails/send${query}`, {
    body,
    headers: { 'idempotency-key': key },
    ...(token !== undefined && { token }),
  })

it('answers the same again, and adds nothing', async () => {
  const first = await send(ada, 'order-1')
  expect(first.status).toBe(202)
  expect(first.headers.get('idempotent-replayed')).toBeNull()
  // Of another order, and so spaced: the same payload.
  const again = await send(`{ "times": 2,  "to": "ada@example.com" }`, 'order-1')
  expect([again.status, again.body]).toEqual([202, first.body])
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(again.headers.get('location')).toBe(first.headers.get('location'))
  expect(await mail.getJobCountByTypes('waiting')).toBe(1)
  expect(api.changes).toHaveLength(1)
  // Also when the job is long gone.
  await (await mail.getJob(String(first.body['id'])))?.remove()
  expect((await send(ada, 'order-1')).body).toEqual(first.body)
  expect(await mail.getJobCountByTypes('waiting')).toBe(0)
  const [key = ''] = await redis.client().keys('bull:runner:idempotency:*')
  const left = await redis.client().pttl(key)
  expect(left).toBeGreaterThan(23 * 3_600_000)
  expect(left).toBeLessThanOrEqual(24 * 3_600_000)
})

it('refuses a key with another payload or other options, and keeps those of two tokens apart', async () => {
  await send(ada, 'k')
  for (const other of [send({ to: 'bob@example.com' }, 'k'), send(ada, 'k', { query: '?priority=1' })])
    expect((await other).body).toMatchObject({ status: 422, code: 'KEY_REUSED' })
  expect((await send({ to: 'bob@example.com' }, 'k', { token: SHOP.token })).status).toBe(202)
  expect((await send(ada, 'a b')).body).toMatchObject({ status: 400, code: 'USAGE' })
  expect(await mail.getJobCountByTypes('waiting')).toBe(2)
})

it('adds one job for twenty requests at once; those that come too early are told to come again', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => send(ada, 'rush')))
  const statuses = new Set(all.map(({ status }) => status))
  expect([...statuses].every(status => status === 202 || status === 409)).toBe(true)
  for (const { headers } of all.filter(({ status }) => status === 409))
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await mail.getJobCountByTypes('waiting')).toBe(1)
  expect(all.filter(({ status }) => status === 202).length).toBeGreaterThan(0)
})

it('leaves the key free when nothing was done', async () => {
  expect((await send({ to: 'nobody' }, 'fix')).status).toBe(422)
  expect((await send(ada, 'fix')).status).toBe(202)
})

it('goes on with what a try that died was about to do, and does not do it a second time', async () => {
  const first = await send(ada, 'crash')
  // As if the process had died between the job and the answer: it is added, and nobody was told.
  const client = redis.client()
  const [key = ''] = await client.keys('bull:runner:idempotency:*')
  await client.hdel(key, 'answer')
  await client.hset(key, 'intent', JSON.stringify({ queue: 'mail' }), 'until', 0)
  const again = await send(ada, 'crash')
  expect([again.status, again.body]).toEqual([202, { ...first.body, added: true }])
  expect(again.headers.get('idempotent-replayed')).toBeNull()
  expect(await mail.getJobCountByTypes('waiting')).toBe(1)
})

it('is taken over when its lease is over, and not before; the one that lost it changes nothing', async () => {
  const keys = new IdempotencyKeys(redis.client(), 'bull')
  const first = await keys.begin('k', 'print', 200)
  if (first.state !== 'begun') throw new Error(first.state)
  // It renews its lease: much later it is still its own.
  const until = async () => Number(await redis.client().hget('bull:runner:idempotency:k', 'until'))
  const begun = await until()
  await expect.poll(until, { timeout: 5_000 }).toBeGreaterThan(begun + 200)
  expect(await keys.begin('k', 'print')).toMatchObject({ state: 'running' })
  expect(await first.turn.intend('{"queue":"mail"}')).toBe(true)
  await redis.client().hset('bull:runner:idempotency:k', 'until', 0, 'owner', 'nobody')
  const second = await keys.begin('k', 'print')
  expect(second).toMatchObject({ state: 'begun', turn: { intent: '{"queue":"mail"}' } })
  expect(await first.turn.intend('{}')).toBe(false)
  await first.turn.finish('first')
  await first.turn.abandon()
  if (second.state === 'begun') await second.turn.finish('second')
  expect(await keys.begin('k', 'print')).toEqual({ state: 'answered', answer: 'second' })
})

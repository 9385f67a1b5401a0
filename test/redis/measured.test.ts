import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { Measured } from '../../src/redis/measured.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())
afterEach(() => void vi.useRealTimers())

it('adds up what replicas measured, by queue, for seven days', async () => {
  const client = redis.client()
  const [one, two] = [new Measured(client, 'p'), new Measured(redis.client(), 'p')]
  const today = Date.now()
  await one.add('a', [
    { metric: 'run', bucket: 3, count: 2 },
    { metric: 'delay', bucket: 0, count: 1 },
  ])
  await two.add('a', [{ metric: 'run', bucket: 3, count: 5 }])
  await two.add('b', [{ metric: 'block', bucket: 9, count: 1 }])
  expect(await one.queues()).toEqual(['a', 'b'])
  expect(await one.read('a')).toEqual(
    expect.arrayContaining([
      { metric: 'run', bucket: 3, count: 7 },
      { metric: 'delay', bucket: 0, count: 1 },
    ]),
  )
  expect(await one.read('c')).toEqual([])

  vi.useFakeTimers({ toFake: ['Date'], now: today + 6 * 86_400_000 })
  expect(await one.read('b')).toHaveLength(1)
  vi.setSystemTime(today + 7 * 86_400_000)
  expect(await one.read('b')).toEqual([])
  const [key] = await client.keys('p:runner:measured:b:*')
  expect(await client.ttl(key as string)).toBeGreaterThan(7 * 86_400)
})

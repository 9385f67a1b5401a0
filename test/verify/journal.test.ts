import { afterAll, beforeAll, expect, it } from 'vitest'
import { Journal } from '../../src/verify/journal.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

it('knows that a run is alive until it says its end, or its connection is gone', async () => {
  const reader = new Journal(redis.client(), 'j')
  const [one, two] = [redis.client(), redis.client()]
  await new Journal(one, 'j', 1).start({ id: 'a', fence: 1 })
  expect(await reader.hasAlive(['a'])).toBe(true)
  expect(await reader.hasAlive(['b'])).toBe(false)
  await new Journal(one, 'j', 1).end({ id: 'a', fence: 1 })
  expect(await reader.hasAlive(['a'])).toBe(false)

  await new Journal(two, 'j', 2).start({ id: 'b', fence: 1 })
  expect(await reader.hasAlive(['a', 'b'])).toBe(true)
  two.disconnect()
  await expect.poll(() => reader.hasAlive(['a', 'b'])).toBe(false)
  expect(await reader.length()).toBe(3)
})

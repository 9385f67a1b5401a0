/** Pages of a state miss no job, whatever comes and goes between them. */
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { walk, type WalkOptions } from '../../src/inspector/walk.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

const BASE = 'bull:q:'
const NOW = 1_800_000_000_000
let redis: TestRedis
let client: Redis
beforeAll(async () => {
  redis = await startRedis()
  client = redis.client()
})
beforeEach(() => client.flushall())
afterAll(() => redis.stop())

/** Failed jobs 1 to `count`, older with every number; `at` says when each ended. */
async function fail(count: number, at: (n: number) => number): Promise<void> {
  const pipeline = client.pipeline()
  for (let n = 1; n <= count; n++) {
    pipeline.hset(`${BASE}${n}`, { name: n % 10 === 0 ? 'tenth' : 'other', timestamp: NOW - 9e6 })
    pipeline.zadd(`${BASE}failed`, at(n), n)
  }
  await pipeline.exec()
}

async function all(
  options: WalkOptions,
  onPage: (ids: string[]) => unknown = () => undefined,
): Promise<string[]> {
  const found: string[] = []
  for await (const { ids } of walk(client, BASE, 'failed', options)) {
    found.push(...ids)
    await onPage(ids)
  }
  return found
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i + 1))

it('newest first, over many pages, each once', async () => {
  await fail(5_000, n => NOW - n)
  expect(await all({})).toEqual(numbers(5_000))
  expect(await all({ oldestFirst: true })).toEqual(numbers(5_000).toReversed())
})

it('of the name alone, and of the time alone', async () => {
  await fail(5_000, n => NOW - n)
  expect(await all({ name: 'tenth' })).toEqual(numbers(5_000).filter(n => Number(n) % 10 === 0))
  expect(await all({ since: NOW - 30 })).toEqual(numbers(30))
  expect(await all({ until: NOW - 4_990, oldestFirst: true })).toEqual(
    numbers(5_000).slice(4_989).toReversed(),
  )
  expect(await all({ name: 'none' })).toEqual([])
})

it.each([true, false])(
  'all that ended in one millisecond (oldest first: %s), also when they go',
  async oldestFirst => {
    await fail(5_000, () => NOW)
    const found = await all({ oldestFirst }, ids => client.zrem(`${BASE}failed`, ...ids))
    expect(found.length).toBe(5_000)
    expect(new Set(found).size).toBe(5_000)
  },
)

it('goes on where it was when others take away what it stood on, and what lies before it', async () => {
  await fail(6_000, n => NOW - n)
  let page = 0
  const found = await all({ name: 'other' }, () =>
    page++ === 0 ? client.zrem(`${BASE}failed`, ...numbers(2_100)) : undefined,
  )
  const there = numbers(6_000).filter(n => Number(n) > 2_100 && Number(n) % 10 !== 0)
  expect(found.filter(n => Number(n) > 2_100)).toEqual(there)
})

it('of a list, while jobs are added in front and taken at the end', async () => {
  const pipeline = client.pipeline()
  for (const n of numbers(5_000)) {
    pipeline.hset(`${BASE}${n}`, { name: 'a', timestamp: NOW - Number(n) })
    pipeline.rpush(`${BASE}wait`, n)
  }
  await pipeline.exec()
  const found: string[] = []
  for await (const { ids } of walk(client, BASE, 'waiting', {})) {
    found.push(...ids)
    await client.lpush(`${BASE}wait`, ...Array.from({ length: 50 }, (_, i) => `new-${found.length}-${i}`))
    await client.rpop(`${BASE}wait`, 10)
  }
  const old = found.filter(id => !id.startsWith('new'))
  expect(new Set(old).size).toBe(old.length)
  expect(numbers(4_950).filter(n => !old.includes(n))).toEqual([])
})

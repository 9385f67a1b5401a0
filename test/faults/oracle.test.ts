/** The oracle of the fault tests must be able to fail: each broken promise, played to it. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type * as Recording from '../fixtures/oracle-record.ts'
import { expectPromiseKept } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
let record: typeof Recording
beforeAll(async () => {
  redis = await startRedis()
  process.env['ORACLE_URL'] = redis.url
  record = await import('../fixtures/oracle-record.ts')
})
afterAll(async () => {
  record.redis.disconnect()
  await redis.stop()
})
beforeEach(() => redis.flush())

const run = (fence: number) => ({ id: '1', queue: 'q', fence })
const verdict = (more: object = {}) => expectPromiseKept(record.redis, { ids: ['1'], ...more })

it('is content with a second run after the first', async () => {
  await record.recorded(run(1), () => 1)
  await record.recorded(run(2), () => 1)
  await verdict({ starts: 2 })
})

it('sees a second run while the first still runs', async () => {
  await record.recorded(run(1), () => record.recorded(run(2), () => 1))
  await expect(verdict()).rejects.toThrow('jobs that were run twice at once')
})

it('does not count a run whose executor is gone', async () => {
  // As if by an executor whose connection is closed.
  await record.redis.hset('oracle:running:q:1', '1', '999999')
  await record.recorded(run(2), () => 1)
  await verdict()
})

it('sees a lost job, one that started too often and a fence that did not grow', async () => {
  await expect(verdict()).rejects.toThrow('jobs that never came to their end')
  await record.recordStart(run(1))
  await expect(verdict()).rejects.toThrow('jobs that never came to their end')
  await record.recordEnd(run(1))
  await record.recorded(run(1), () => 1)
  await expect(verdict({ starts: 2 })).rejects.toThrow('jobs whose fence did not grow')
  await record.redis.del('oracle:log')
  for (const fence of [1, 2, 3]) await record.recorded(run(fence), () => 1)
  await expect(verdict({ starts: 2 })).rejects.toThrow('jobs started more than 2 time(s)')
})

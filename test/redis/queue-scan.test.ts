import { Queue } from 'bullmq'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { scanQueues } from '../../src/redis/queue-scan.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

it('finds the queues of all prefixes, nothing that only looks like one, and stops at its bounds', async () => {
  const connection = redis.client()
  for (const [name, prefix] of [
    ['mail', 'bull'],
    ['mail', 'shop:eu'],
    ['with space', 'bull'],
  ] as const) {
    const queue = new Queue(name, { connection, prefix })
    // Its key ends like that of a queue.
    await queue.upsertJobScheduler('nightly:meta', { pattern: '0 3 * * *' })
    await queue.close()
  }
  await connection.set('a:b:meta', 'no hash')
  await connection.hset('app:user:meta', 'version', '2')
  const { queues, complete } = await scanQueues(connection, { time: 5_000, count: 100 })
  expect(complete).toBe(true)
  expect(queues.map(({ prefix, queue }) => `${prefix} ${queue}`).sort()).toEqual([
    'bull mail',
    'bull with space',
    'shop:eu mail',
  ])
  expect(await scanQueues(connection, { time: -1, count: 100 })).toEqual({ queues: [], complete: false })
  expect(await scanQueues(connection, { time: 5_000, count: 0 })).toEqual({ queues: [], complete: false })
})

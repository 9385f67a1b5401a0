/** One thing done to very many jobs: once to each, whoever else is at it and whenever it is broken off. */
import { Job, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bulk, type BulkOptions } from '../../src/inspector/bulk.ts'
import { removeJob } from '../../src/inspector/changes.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const COUNT = 3_000

async function withFailed(work: (queue: Queue, client: Redis) => Promise<void>): Promise<void> {
  const client = redis.client()
  await client.flushall()
  const queue = new Queue('q', { connection: client })
  const now = Date.now()
  const pipeline = client.pipeline()
  for (let n = 1; n <= COUNT; n++) {
    pipeline.hset(queue.toKey(`j${n}`), {
      name: 'a',
      data: '{}',
      opts: '{}',
      timestamp: now - 9e6,
      atm: 1,
      ats: 1,
    })
    pipeline.zadd(queue.toKey('failed'), now - n, `j${n}`)
  }
  await pipeline.exec()
  try {
    await work(queue, client)
  } finally {
    await queue.close()
  }
}

const target = (queue: Queue) => [{ queue: 'q', base: queue.toKey(''), state: 'failed' as const }]

function retrying(queue: Queue, counted: Map<string, number>, more: Partial<BulkOptions> = {}): BulkOptions {
  return {
    filter: {},
    limit: Infinity,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    change: async (_target, id) => {
      try {
        await new Job(queue, '', {}, {}, id).retry('failed')
      } catch {
        return { gone: true }
      }
      counted.set(id, (counted.get(id) ?? 0) + 1)
      return {}
    },
    ...more,
  }
}

it('two that retry the same jobs do each of them once, together', async () => {
  await withFailed(async (queue, client) => {
    const counted = new Map<string, number>()
    const both = await Promise.all([1, 2].map(() => bulk(client, target(queue), retrying(queue, counted))))
    expect(both.reduce((sum, { done }) => sum + done, 0)).toBe(COUNT)
    expect(counted.size).toBe(COUNT)
    expect(new Set(counted.values())).toEqual(new Set([1]))
    expect(await queue.getJobCounts('failed', 'wait')).toEqual({ failed: 0, wait: COUNT })
  })
})

it('removes none that somebody else has retried meanwhile', async () => {
  await withFailed(async (queue, client) => {
    const counted = new Map<string, number>()
    const removing = bulk(client, target(queue), {
      ...retrying(queue, counted),
      change: (_target, id) => removeJob(client, queue, id, 'failed'),
    })
    const [removed, retried] = await Promise.all([
      removing,
      bulk(client, target(queue), retrying(queue, counted)),
    ])
    expect(removed.done + retried.done).toBe(COUNT)
    expect(await queue.getJobCounts('failed', 'wait')).toEqual({ failed: 0, wait: retried.done })
  })
})

it('broken off, it has done whole jobs, and the same again does the rest', async () => {
  await withFailed(async (queue, client) => {
    const counted = new Map<string, number>()
    const broken = new AbortController()
    const first = await bulk(
      client,
      target(queue),
      retrying(queue, counted, {
        signal: broken.signal,
        onProgress: ({ done }) => done >= 1_000 && broken.abort(),
      }),
    )
    expect(first.done).toBeGreaterThanOrEqual(1_000)
    expect(first.done).toBeLessThan(1_300)
    expect(await queue.getJobCounts('failed', 'wait')).toEqual({
      failed: COUNT - first.done,
      wait: first.done,
    })
    const second = await bulk(client, target(queue), retrying(queue, counted))
    expect(first.done + second.done).toBe(COUNT)
    expect(new Set(counted.values())).toEqual(new Set([1]))
  })
})

it('does not come back to a job that failed again meanwhile, nor beyond its limit', async () => {
  await withFailed(async (queue, client) => {
    let changes = 0
    // What is changed fails again at once.
    const ended = await bulk(client, target(queue), {
      filter: {},
      limit: 2_500,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      change: async (_target, id) => {
        changes++
        await client.zadd(queue.toKey('failed'), Date.now() + 10_000, id)
        return {}
      },
    })
    expect(ended.done).toBe(2_500)
    expect(changes).toBe(2_500)
  })
})

it('counts what cannot be changed, with the reason of the first', async () => {
  await withFailed(async (queue, client) => {
    const ended = await bulk(client, target(queue), {
      filter: { name: 'a' },
      limit: Infinity,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      change: (_target, id) =>
        id.endsWith('7') ? Promise.reject(new Error(`no ${id}`)) : Promise.resolve({}),
    })
    expect(ended).toMatchObject({ done: 2_700, failed: 300, gone: 0 })
    expect(ended.reason).toMatch(/^q j\d*7: no j\d*7$/)
  })
})

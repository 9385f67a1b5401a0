/** A worker is replaced while it runs a job. */
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Config } from '../../src/config.ts'
import { RawResult } from '../../src/fleet/fleet-job.ts'
import { Measurements } from '../../src/fleet/measurements.ts'
import { QueueWorkers } from '../../src/fleet/queue-workers.ts'
import { Replies } from '../../src/fleet/replies.ts'
import { Events } from '../../src/observe/events.ts'
import { Fence } from '../../src/redis/fence.ts'
import { Measured } from '../../src/redis/measured.ts'
import { fateOf, untilState } from '../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
let client: Redis
beforeAll(async () => {
  redis = await startRedis()
  client = redis.client()
})
afterAll(() => redis.stop())

const LOCK = 1_000

it('keeps the lock and the result of what runs, leaves it its slot, and gives that back afterwards', async () => {
  const queue = new Queue('q', { connection: client })
  const running = new Map<string, (result: RawResult) => void>()
  let most = 0
  const errors: unknown[] = []
  const onError = (_: string, error: unknown) => void errors.push(error)
  const workers = new QueueWorkers({
    replica: 'r',
    config: { lockDuration: LOCK, stalledInterval: LOCK / 2, maxStalledCount: 3 } as Config,
    events: new Events(),
    client,
    prefix: 'bull',
    fence: new Fence(client),
    replies: new Replies(() => undefined),
    telemetry: undefined,
    measurements: new Measurements(new Measured(client, 'bull'), () => undefined),
    handlers: {
      process: job =>
        new Promise(resolve => {
          running.set(job.id, result => {
            running.delete(job.id)
            resolve(result)
          })
          most = Math.max(most, running.size)
        }),
      onSuperseded: ({ id }) => expect.unreachable(`${id} was superseded`),
      onDeferred: async () => undefined,
    },
    onError,
  })
  const add = async (count: number) =>
    (await queue.addBulk(Array.from({ length: count }, () => ({ name: 'x', data: {} })))).map(
      job => job.id as string,
    )
  const end = (id: string) => running.get(id)?.(new RawResult('"kept"'))

  await workers.open({ q: 3 }, { jobs: [] })
  workers.run(false)
  const [long = ''] = await add(1)
  await expect.poll(() => [...running.keys()], { timeout: 10_000 }).toEqual([long])
  const [old] = workers.all
  if (old === undefined) throw new Error('no worker')
  workers.recreate(old)
  expect(workers.all).not.toContain(old)
  expect(workers.concurrency).toEqual({ q: 3 })

  // One slot of three is taken by what the old one runs.
  const others = await add(4)
  await expect.poll(() => running.size, { timeout: 10_000 }).toBe(3)
  const until = Date.now() + 3 * LOCK
  await expect.poll(() => Date.now() > until, { timeout: 10_000 }).toBe(true)
  expect(await client.pttl(`bull:q:${long}:lock`)).toBeGreaterThan(0)
  expect(workers.heldOf('q')).toBe(3)
  end(long)
  expect(await untilState(queue, long)).toMatchObject({
    state: 'completed',
    returnvalue: 'kept',
    attemptsStarted: 1,
    stalledCounter: 0,
  })
  // The new one has all three now, and the old one has left.
  await expect.poll(() => running.size, { timeout: 10_000 }).toBe(3)
  expect(most).toBe(3)
  await expect.poll(() => old.closing !== undefined, { timeout: 10_000 }).toBe(true)
  for (const id of others) {
    await expect.poll(() => running.has(id), { timeout: 10_000 }).toBe(true)
    end(id)
    await untilState(queue, id)
  }
  expect((await Promise.all(others.map(id => fateOf(queue, id)))).map(one => one.attemptsStarted)).toEqual(
    others.map(() => 1),
  )
  expect(errors).toEqual([])
  await workers.pause()
  await workers.stop()
  await queue.close()
})

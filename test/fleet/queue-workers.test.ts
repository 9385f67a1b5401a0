/** A worker is replaced while it runs a job. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, type RedisQueueBackend } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Config } from '../../src/config.ts'
import { RawResult } from '../../src/fleet/fleet-job.ts'
import type { FleetWorkerEvents } from '../../src/fleet/fleet-worker.ts'
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

function workersOf(process: FleetWorkerEvents['process'], errors: unknown[]): QueueWorkers {
  const onError = (_: string, error: unknown) => void errors.push(error)
  return new QueueWorkers({
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
      process,
      onSuperseded: ({ id }) => expect.unreachable(`${id} was superseded`),
      onDeferred: async () => undefined,
    },
    onError,
  })
}

it('keeps the lock and the result of what runs, leaves it its slot, and gives that back afterwards', async () => {
  const queue = new Queue('q', { connection: client })
  const running = new Map<string, (result: RawResult) => void>()
  let most = 0
  const errors: unknown[] = []
  const workers = workersOf(
    job =>
      new Promise(resolve => {
        running.set(job.id, result => {
          running.delete(job.id)
          resolve(result)
        })
        most = Math.max(most, running.size)
      }),
    errors,
  )
  const add = async (count: number) =>
    (await queue.addBulk(Array.from({ length: count }, () => ({ name: 'x', data: {} })))).map(
      job => job.id as string,
    )
  const end = (id: string) => running.get(id)?.(new RawResult('"kept"'))

  await workers.open({ q: 3 }, { jobs: [] })
  workers.run(false)
  const [long = ''] = await add(1)
  await expect.poll(() => [...running.keys()]).toEqual([long])
  const [old] = workers.all
  if (old === undefined) throw new Error('no worker')
  workers.recreate(old)
  expect(workers.all).not.toContain(old)
  expect(workers.concurrency).toEqual({ q: 3 })

  // One slot of three is taken by what the old one runs.
  const others = await add(4)
  await expect.poll(() => running.size).toBe(3)
  const until = Date.now() + 3 * LOCK
  await expect.poll(() => Date.now() > until).toBe(true)
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
  await expect.poll(() => running.size).toBe(3)
  expect(most).toBe(3)
  await expect.poll(() => old.closing !== undefined).toBe(true)
  for (const id of others) {
    await expect.poll(() => running.has(id)).toBe(true)
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

it('keeps a worker that was replaced while it may yet get a job that it asked for, whose end it sees to', async () => {
  const queue = new Queue('late', { connection: client })
  const workers = workersOf(async () => new RawResult('"once"'), [])
  await workers.open({ late: 1 }, { jobs: [] })
  const [old] = workers.all
  if (old === undefined) throw new Error('no worker')
  const refusals: string[] = []
  old.on('error', ({ message }) => refusals.push(message))
  // Redis has given it the job, and the answer is on its way.
  const { backend } = old as unknown as { backend: RedisQueueBackend }
  const take = backend.moveToActive.bind(backend)
  const answered = Promise.withResolvers<void>()
  backend.moveToActive = async (...args) => {
    const next = await take(...args)
    await answered.promise
    return next
  }
  const { id } = await queue.add('x', {})
  workers.run(false)
  await untilState(queue, id, 'active')
  workers.recreate(old)
  // Some looks whether it has finished.
  await sleep(LOCK / 2)
  await client.replicaof('127.0.0.1', 1)
  answered.resolve()
  await expect.poll(() => refusals.length).toBeGreaterThan(2)
  expect(refusals[0]).toContain('READONLY')
  await client.replicaof('NO', 'ONE')
  expect(await untilState(queue, id)).toMatchObject({
    state: 'completed',
    returnvalue: 'once',
    attemptsStarted: 1,
    stalledCounter: 0,
  })
  await expect.poll(() => old.closing !== undefined).toBe(true)
  await workers.pause()
  await workers.stop()
  await queue.close()
})

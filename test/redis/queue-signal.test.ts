/** Queues as BullMQ leaves them, read in one look: by any user, on any server. */
import { FlowProducer, Queue, type JobsOptions } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readQueueSignal, type QueueSignal } from '../../src/redis/queue-signal.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { startCluster } from '../helpers/cluster.ts'
import { open } from './open.ts'

const LEAD = 45_000
const MINUTE = 60_000

let redis: TestRedis
let client: Redis
let queue: Queue
beforeAll(async () => {
  redis = await startRedis()
  client = redis.client()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  await client.flushall()
  queue = new Queue('mail', { connection: client })
  await queue.waitUntilReady()
})

const read = async (lead = LEAD): Promise<QueueSignal> => {
  const signal = await readQueueSignal(client, 'bull', 'mail', lead)
  if (signal === undefined) throw new Error('no such queue')
  return signal
}
/** Added so many milliseconds ago. */
const add = (ago: number, options: JobsOptions = {}) =>
  queue.add('job', {}, { timestamp: Date.now() - ago, ...options })

/** As BullMQ's workers do it, without one: so each test says which state each job is in. */
const take = async () => {
  const id = await client.rpoplpush('bull:mail:wait', 'bull:mail:active')
  if (id === null) throw new Error('nothing waits')
  await client.hset(`bull:mail:${id}`, 'processedOn', Date.now(), 'ats', 1)
  return id
}

describe('counts', () => {
  it('tells each state apart, and of what is delayed that which is due within the lead', async () => {
    for (let n = 0; n < 4; n++) await add(0)
    await take()
    await add(0, { priority: 3 })
    for (const delay of [30_000, 10 * MINUTE, 20 * MINUTE]) await add(0, { delay })
    const counts = {
      waiting: 3,
      active: 1,
      prioritized: 1,
      delayed: 3,
      dueDelayed: 1,
      failed: 0,
      completed: 0,
    }
    const signal = await read()
    expect(signal).toMatchObject({ queue: 'mail', paused: false, waitingChildren: 0, ...counts })
    expect(signal.nextDue).toBeGreaterThan(25_000)
    expect(signal.nextDue).toBeLessThanOrEqual(30_000)
    expect(await read(0)).toMatchObject({ dueDelayed: 0 })
    expect(await read(15 * MINUTE)).toMatchObject({ dueDelayed: 2 })
  })

  it('tells what a worker that starts now would find due, whatever the lead', async () => {
    for (const delay of [1_000, 30_000]) await add(0, { delay })
    expect(await read()).toMatchObject({ dueDelayed: 2, dueNow: 1 })
    expect(await read(15 * MINUTE)).toMatchObject({ dueDelayed: 2, dueNow: 1 })
  })

  it('knows that a job is active whose worker is gone: it has no lock', async () => {
    for (let n = 0; n < 3; n++) await add(0)
    expect(await read()).toMatchObject({ active: 0, isOrphaned: false })
    const ids = [await take(), await take(), await take()]
    for (const id of ids) await client.set(`bull:mail:${id}:lock`, 'token', 'PX', MINUTE)
    expect(await read()).toMatchObject({ active: 3, isOrphaned: false })
    for (const id of ids) {
      await client.del(`bull:mail:${id}:lock`)
      expect(await read()).toMatchObject({ active: 3, isOrphaned: true })
      await client.set(`bull:mail:${id}:lock`, 'token', 'PX', MINUTE)
    }
  })

  it('has the limits of the queue, and none where there are none', async () => {
    expect(await read()).toMatchObject({ globalConcurrency: null, rateLimit: null })
    await queue.setGlobalConcurrency(7)
    await queue.setGlobalRateLimit(100, 1_000)
    await queue.pause()
    expect(await read()).toMatchObject({
      paused: true,
      globalConcurrency: 7,
      rateLimit: { max: 100, duration: 1_000 },
    })
  })

  it('counts the jobs that BullMQ 5 put aside when it paused the queue', async () => {
    await add(0)
    await client.rename('bull:mail:wait', 'bull:mail:paused')
    expect(await read()).toMatchObject({ waiting: 1 })
  })

  it('knows no queue that has no meta key, whatever else is called like it', async () => {
    await client.lpush('bull:other:wait', '1')
    expect(await readQueueSignal(client, 'bull', 'other', LEAD)).toBeUndefined()
    expect(await readQueueSignal(client, 'shop', 'mail', LEAD)).toBeUndefined()
  })
})

describe('age of the oldest job that could run', () => {
  const age = async () => (await read()).oldestAge
  const isAbout = (ms: number | null, expected: number) => {
    expect(ms).toBeGreaterThanOrEqual(expected)
    expect(ms).toBeLessThan(expected + 10_000)
  }

  it('is null where nothing waits', async () => {
    expect(await age()).toBeNull()
    await add(0, { delay: MINUTE })
    expect(await age()).toBeNull()
  })

  it('is found at both ends of the list', async () => {
    await add(5 * MINUTE)
    for (let n = 0; n < 10; n++) await add(0)
    isAbout(await age(), 5 * MINUTE)
    // Last in, first out: the old one is at the other end now.
    await queue.drain()
    await add(7 * MINUTE, { lifo: true })
    for (let n = 0; n < 10; n++) await add(0, { lifo: true })
    isAbout(await age(), 7 * MINUTE)
  })

  it('is found in any priority, also in the lowest of very many', async () => {
    // In the middle of the set, and the first of its own priority.
    await add(9 * MINUTE, { priority: 2 })
    for (const priority of [1, 2, 3]) for (let n = 0; n < 3; n++) await add(0, { priority })
    isAbout(await age(), 9 * MINUTE)
    // Below more priorities than are looked through.
    for (let priority = 4; priority < 60; priority++) await add(0, { priority })
    await add(20 * MINUTE, { priority: 70 })
    await add(0, { priority: 70 })
    isAbout(await age(), 20 * MINUTE)
  })

  it('counts from the end of a delay, promoted or not', async () => {
    const job = await add(10 * MINUTE, { delay: 8 * MINUTE })
    // BullMQ counts the delay from now on: as it lies there eight minutes after it was added.
    await client.zadd('bull:mail:delayed', (Date.now() - 2 * MINUTE) * 0x1000, job.id as string)
    expect((await read()).nextDue).toBeLessThan(-MINUTE)
    isAbout(await age(), 2 * MINUTE)
    await job.promote()
    isAbout(await age(), 2 * MINUTE)
  })

  it('counts from its last start for a job that runs again', async () => {
    await add(30 * MINUTE)
    const id = await take()
    await client.hset(`bull:mail:${id}`, 'processedOn', Date.now() - 3 * MINUTE)
    await client.rpoplpush('bull:mail:active', 'bull:mail:wait')
    isAbout(await age(), 3 * MINUTE)
  })

  it('leaves out a parent that was never run, since nothing says when its children were done', async () => {
    const flows = new FlowProducer({ connection: client })
    const { job } = await flows.add({
      name: 'parent',
      queueName: 'mail',
      opts: { timestamp: Date.now() - 40 * MINUTE },
      children: [{ name: 'child', queueName: 'children' }],
    })
    expect(await read()).toMatchObject({ waitingChildren: 1, waiting: 0 })
    await client.hset(`bull:mail:${job.id}:processed`, 'bull:children:1', '1')
    await client.del(`bull:mail:${job.id}:dependencies`)
    await client.zrem('bull:mail:waiting-children', job.id as string)
    await client.lpush('bull:mail:wait', job.id as string)
    expect(await read()).toMatchObject({ waiting: 1, oldestAge: null })
    await add(2 * MINUTE)
    isAbout(await age(), 2 * MINUTE)
    await flows.close()
  })

  it('does not stumble over a job that is gone, or whose options are no JSON', async () => {
    await add(MINUTE)
    await client.rpush('bull:mail:wait', 'gone', '0:7')
    await client.hset('bull:mail:odd', 'timestamp', Date.now() - 2 * MINUTE, 'opts', '{"delay":')
    await client.rpush('bull:mail:wait', 'odd')
    isAbout(await age(), 2 * MINUTE)
  })
})

describe('users and servers', () => {
  const commands = '+eval_ro +exists +hmget +time +llen +lrange +zcard +zcount +zrange +zrangebyscore'.split(
    ' ',
  )
  const asUser = async (...rules: string[]) => {
    await client.acl('SETUSER', 'reader', 'reset', 'on', '>x', '+info', '+ping', '+quit', ...rules)
    const url = new URL(redis.url)
    url.username = 'reader'
    url.password = 'x'
    return open(url.href)
  }

  it('needs no more than to read', async () => {
    await add(MINUTE)
    await using handle = await asUser('%R~bull:*', ...commands)
    const reader = handle.connect('test')
    expect(await readQueueSignal(reader, 'bull', 'mail', LEAD)).toMatchObject({ waiting: 1 })
    await expect(readQueueSignal(reader, 'shop', 'mail', LEAD)).rejects.toThrow('NOPERM')
    await expect(reader.hset('bull:mail:meta', 'paused', '1')).rejects.toThrow('NOPERM')
  })

  it('uses EVAL where the user may not have EVAL_RO, and remembers it', async () => {
    await add(MINUTE)
    await using handle = await asUser('~bull:*', ...commands, '-eval_ro', '+eval')
    const user = handle.connect('test')
    await client.call('ACL', 'LOG', 'RESET')
    for (let n = 0; n < 3; n++)
      expect(await readQueueSignal(user, 'bull', 'mail', LEAD)).toMatchObject({ waiting: 1 })
    const refused = (await client.call('ACL', 'LOG')) as unknown[][]
    expect(refused.filter(entry => entry.includes('eval_ro'))).toEqual([expect.arrayContaining(['count', 1])])
  })

  it('uses EVAL on a server that has no EVAL_RO', async () => {
    await using old = await startRedis({ args: ['--rename-command', 'EVAL_RO', ''] })
    const there = old.client()
    const mail = new Queue('mail', { connection: there })
    await mail.add('job', {})
    expect(await readQueueSignal(there, 'bull', 'mail', LEAD)).toMatchObject({ waiting: 1 })
    await mail.close()
  })

  it('works on a Cluster, where all keys of a queue are in one slot', async () => {
    await using cluster = await startCluster()
    await using handle = await open({ cluster: cluster.nodes }, '{bull}')
    const nodes = handle.connect('test') as Cluster
    for (const name of ['mail', 'reports']) {
      const there = new Queue(name, { connection: nodes, prefix: '{bull}' })
      await there.add('job', {}, { priority: 2, timestamp: Date.now() - MINUTE })
      await there.close()
      expect(await readQueueSignal(nodes, '{bull}', name, LEAD)).toMatchObject({ prioritized: 1 })
    }
  })
})

/** What Redis lets a run write, and which locks it gives back, with jobs as BullMQ makes them. */
import { Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Fence, type Hold } from '../../src/redis/fence.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
let client: Redis
let queue: Queue
let fence: Fence
let worker: Worker
let hold: Hold

beforeAll(async () => {
  redis = await startRedis()
  client = redis.client()
  fence = new Fence(client)
})
afterAll(() => redis.stop())

/** One job, taken by hand. */
beforeEach(async () => {
  await client.flushall()
  queue = new Queue('q', { connection: client })
  worker = new Worker('q', null, { connection: client, lockDuration: 60_000 })
  await queue.add('a', {}, { attempts: 2, keepLogs: 2 })
  hold = await take('slot:1')
  return async () => {
    await worker.close(true)
    await queue.close()
  }
})

async function take(token: string): Promise<Hold> {
  const job = await worker.getNextJob(token)
  if (job?.id === undefined) throw new Error('no job')
  const base = queue.toKey('')
  return { id: job.id, key: base + job.id, base, token, fence: job.attemptsStarted }
}
const job = async () => {
  const found = await queue.getJob(hold.id)
  if (found === undefined) throw new Error('the job is gone')
  return found
}
const lose = () => client.del(`${hold.key}:lock`)
/** As the sweep of BullMQ leaves a job whose lock ran out. */
async function sweepAway(): Promise<void> {
  await lose()
  for (let i = 0; i < 2; i++) {
    await client.del(`${hold.base}stalled-check`)
    await (
      worker as unknown as { backend: { moveStalledJobsToWait(): Promise<unknown> } }
    ).backend.moveStalledJobsToWait()
  }
}

const WRITES: [string, (of: Hold) => Promise<unknown>][] = [
  ['progress', of => fence.progress(of, '7')],
  ['log', of => fence.log(of, 'row')],
  ['field', of => fence.setField(of, 'runner:checkpoint', '7')],
]

describe.each(WRITES)('%s', (_name, write) => {
  it('is written by the run that holds the job', async () => {
    const before = await client.hgetall(hold.key)
    await write(hold)
    const { logs } = await queue.getJobLogs(hold.id)
    expect({ ...(await client.hgetall(hold.key)), logs }).not.toEqual({ ...before, logs: [] })
  })

  it('is written after the lock ran out, as long as nobody has started the job', async () => {
    await sweepAway()
    await expect(write(hold)).resolves.not.toThrow()
  })

  it('is refused once the job was started again, also to the same token, and changes nothing', async () => {
    await sweepAway()
    const newer = await take(hold.token)
    expect(newer).toMatchObject({ id: hold.id, fence: hold.fence + 1 })
    const before = await client.hgetall(hold.key)
    await expect(write(hold)).rejects.toMatchObject({
      code: 'JOB_SUPERSEDED',
      message: `job ${hold.id} was started again: a newer run has it`,
    })
    expect(await client.hgetall(hold.key)).toEqual(before)
    expect((await queue.getJobLogs(hold.id)).logs).toEqual([])
    await expect(write(newer)).resolves.not.toThrow()
  })

  it('is refused once the job is gone, and does not make it again', async () => {
    await lose()
    await (await job()).remove()
    await expect(write(hold)).rejects.toMatchObject({ message: `job ${hold.id} was removed while it ran` })
    expect(await client.keys(`${hold.key}*`)).toEqual([])
  })
})

it('writes progress and logs as BullMQ does', async () => {
  await fence.progress(hold, '{"done":1}')
  expect((await job()).progress).toEqual({ done: 1 })
  const events = (await client.xrange(`${hold.base}events`, '-', '+')).map(([, fields]) => fields)
  expect(events).toContainEqual(['event', 'progress', 'jobId', hold.id, 'data', '{"done":1}'])
  const rows = [1, 2, 3].map(row => fence.log(hold, `row ${row}`, 2))
  expect(await Promise.all(rows)).toEqual([1, 2, 2])
  expect((await queue.getJobLogs(hold.id)).logs).toEqual(['row 2', 'row 3'])
})

describe('reclaim', () => {
  const held = async () => ({
    lock: await client.get(`${hold.key}:lock`),
    state: await (await job()).getState(),
    stalled: await client.smembers(`${hold.base}stalled`),
    active: await client.lrange(`${hold.base}active`, 0, -1),
    stalledCounter: (await job()).stalledCounter,
    deferredFailure: (await job()).deferredFailure,
  })
  const mine = () => ({
    lock: hold.token,
    state: 'active',
    stalled: [],
    active: [hold.id],
    stalledCounter: 0,
    deferredFailure: undefined,
  })

  it.each([
    ['that it still has', () => undefined],
    ['that ran out', lose],
    ['of a job that was swept back to its queue', sweepAway],
    [
      'of a job that was swept back to a queue that is paused',
      async () => {
        await queue.pause()
        await sweepAway()
      },
    ],
    [
      'of a job that was swept back and given a priority',
      async () => {
        await sweepAway()
        await (await job()).changePriority({ priority: 3 })
      },
    ],
    [
      'of a job that the sweep had marked to fail',
      async () => {
        worker.opts.maxStalledCount = 0
        await sweepAway()
      },
    ],
  ])('takes a lock back %s', async (_what, happens) => {
    await happens()
    expect(await fence.reclaim(hold, 5_000)).toBe(true)
    expect(await held()).toEqual(mine())
    expect(await client.pttl(`${hold.key}:lock`)).toBeGreaterThan(4_000)
    // It can be finished, with nothing left to do for anybody else.
    expect(await worker.getNextJob('slot:2')).toBeUndefined()
    await (await job()).moveToCompleted('done', hold.token, false)
    expect(await (await job()).getState()).toBe('completed')
  })

  it.each([
    [
      'was started again',
      async () => {
        await sweepAway()
        await take('slot:2')
      },
    ],
    [
      'was started again and has failed',
      async () => {
        await sweepAway()
        const { token } = await take('slot:2')
        await (await job()).moveToFailed(new Error('no'), token, false)
      },
    ],
  ])('leaves a job alone that %s', async (_what, happens) => {
    await happens()
    const before = await held()
    await expect(fence.reclaim(hold, 5_000)).rejects.toMatchObject({ code: 'JOB_SUPERSEDED' })
    expect(await held()).toEqual(before)
  })

  it('leaves a job alone that was moved elsewhere, and says so', async () => {
    await (await job()).moveToDelayed(Date.now() + 60_000, hold.token)
    const before = await held()
    expect(await fence.reclaim(hold, 5_000)).toBe(false)
    expect(await held()).toEqual(before)
  })
})

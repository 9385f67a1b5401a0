/** What a worker makes of a lock that is gone: mid-run, when it is renewed, and when the run ends. */
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FleetJob, RawResult } from '../../src/fleet/fleet-job.ts'
import { FleetWorker } from '../../src/fleet/fleet-worker.ts'
import { Replies } from '../../src/fleet/replies.ts'
import { Fence } from '../../src/redis/fence.ts'
import { untilState } from '../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

const LOCK = 600

let redis: TestRedis
let client: Redis
let queue: Queue
/** What happens while the job runs; its outcome is that of the job. */
let meanwhile: (job: FleetJob, token: string) => Promise<unknown>
let worker: FleetWorker
let starts: number
let errors: string[]
let superseded: string[]
let reclaimed: string[]

beforeAll(async () => {
  redis = await startRedis()
  client = redis.client()
})
afterAll(() => redis.stop())

beforeEach(async () => {
  await client.flushall()
  queue = new Queue('q', { connection: client })
  starts = 0
  errors = []
  superseded = []
  reclaimed = []
  const events = {
    process: async (job: FleetJob, token: string) => {
      if (++starts === 1) await meanwhile(job, token)
      return new RawResult(`"run ${job.attemptsStarted}"`)
    },
    onSuperseded: (_job: FleetJob, { message }: Error) => void superseded.push(message),
    onReclaimed: ({ id }: FleetJob) => void reclaimed.push(id),
    onDeferred: async () => {},
  }
  // It does not sweep by itself within the test.
  const options = { connection: client, lockDuration: LOCK, stalledInterval: 60_000, concurrency: 1 }
  worker = new FleetWorker('q', events, new Fence(client), new Replies(() => undefined), options)
  worker.on('error', error => errors.push(error.message))
  const ended = worker.run()
  return async () => {
    await worker.pause(true)
    await worker.leave(15_000)
    await ended
    await queue.close()
  }
})

const lose = (job: FleetJob) => client.del(`${job.key}:lock`)
/** As the sweep leaves it. */
async function sweepAway(job: FleetJob): Promise<void> {
  await lose(job)
  await client.lrem(`${job.base}active`, 1, job.id)
  await client.hincrby(job.key, 'stc', 1)
  await client.rpush(`${job.base}wait`, job.id)
}
/** Another replica has it. */
async function startAgain(job: FleetJob): Promise<void> {
  await client.hincrby(job.key, 'ats', 1)
  await client.set(`${job.key}:lock`, 'other:1', 'PX', 60_000)
}
const renewed = (job: FleetJob) =>
  expect.poll(() => client.get(`${job.key}:lock`), { interval: 20 }).toBe(job.token)

describe.each([
  ['completes', () => Promise.resolve()],
  ['fails', () => Promise.reject(new Error('no'))],
])('a run that %s', (how, end) => {
  const state = how === 'completes' ? 'completed' : 'failed'

  it.each([
    ['whose lock ran out', lose],
    ['that was swept back to its queue, where nobody has started it', sweepAway],
  ])('keeps its outcome %s', async (_what, happens) => {
    meanwhile = async job => {
      await happens(job)
      return end()
    }
    const { id } = await queue.add('a', {})
    const fate = await untilState(queue, id)
    expect(fate).toMatchObject({ state, attemptsStarted: 1, stalledCounter: 0 })
    expect(errors).toEqual([])
    expect(superseded).toEqual([])
    expect(reclaimed).toEqual([id])
    expect(starts).toBe(1)
  })

  it('is superseded, and changes nothing, when somebody has started the job', async () => {
    const over = Promise.withResolvers<void>()
    meanwhile = async job => {
      await startAgain(job)
      over.resolve()
      return end()
    }
    const { id } = await queue.add('a', {})
    await over.promise
    await expect.poll(() => superseded).toEqual([`job ${id} was started again: a newer run has it`])
    // The worker is free for other jobs, and this one is the other's.
    expect(await untilState(queue, (await queue.add('b', {})).id)).toMatchObject({ state: 'completed' })
    const job = await queue.getJob(id as string)
    expect(await job?.getState()).toBe('active')
    expect(await client.get(`${queue.toKey(id as string)}:lock`)).toBe('other:1')
    expect(superseded).toHaveLength(1)
  })
})

it.each([
  ['that ran out', lose],
  ['of a job that was swept back to its queue', sweepAway],
])('takes a lock back %s when it is renewed', async (_what, happens) => {
  meanwhile = async job => {
    await happens(job)
    await renewed(job)
  }
  const { id } = await queue.add('a', {})
  expect(await untilState(queue, id)).toMatchObject({
    state: 'completed',
    attemptsStarted: 1,
    stalledCounter: 0,
  })
  expect(errors).toEqual([])
  expect(superseded).toEqual([])
})

it('tells while it runs that a job was started again, once', async () => {
  meanwhile = async job => {
    await startAgain(job)
    await expect.poll(() => superseded, { interval: 20 }).toHaveLength(1)
  }
  await queue.add('a', {})
  expect(await untilState(queue, (await queue.add('b', {})).id)).toMatchObject({ state: 'completed' })
  await expect.poll(() => superseded).toHaveLength(1)
})

it('takes a finish that was made already, and whose answer was lost, for made', async () => {
  meanwhile = (job, token) => job.moveToCompleted(new RawResult('"run 1"'), token, false)
  const { id } = await queue.add('a', {})
  expect(await untilState(queue, id)).toMatchObject({ state: 'completed', returnvalue: 'run 1' })
  expect(await untilState(queue, (await queue.add('b', {})).id)).toMatchObject({ state: 'completed' })
  expect(errors).toEqual([])
  expect(superseded).toEqual([])
})

it.each([
  ['completes', () => Promise.resolve(), 1],
  ['fails and is tried again', () => Promise.reject(new Error('no')), 2],
])('lets a job be that %s while its lock is renewed', async (_what, end, times) => {
  meanwhile = job => {
    const locks = (worker as unknown as { lockManager: { extendLocks(ids: string[]): Promise<void> } })
      .lockManager
    // Right after its move is sent, and before the answer is here: the renewal finds the lock gone.
    setImmediate(() => void locks.extendLocks([job.id]))
    return end()
  }
  for (let i = 0; i < 20; i++) {
    starts = 0
    const { id } = await queue.add('a', {}, { attempts: 2 })
    const fate = await untilState(queue, id)
    expect(fate).toMatchObject({ state: 'completed', attemptsStarted: times, stalledCounter: 0 })
  }
  expect(errors).toEqual([])
  expect(superseded).toEqual([])
})

it('does not take a job back that its handler has put back into the queue', async () => {
  worker.concurrency = 2
  meanwhile = async (job, token) => {
    await job.moveToWait(token)
    await expect.poll(() => starts).toBe(2)
    throw Object.assign(new Error('handed back'), { name: 'WaitingError' })
  }
  const { id } = await queue.add('a', {})
  expect(await untilState(queue, id)).toMatchObject({ state: 'completed', returnvalue: 'run 2' })
  expect(superseded).toEqual([])
})

/** What the watch does when the event stream is of no use: the queue is real, its events say nothing. */
import { EventEmitter } from 'node:events'
import { Queue, Worker, type QueueEvents } from 'bullmq'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { watchJob, type JobEvent } from '../../src/enqueue/job-watch.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
let queue: Queue
beforeAll(async () => {
  redis = await startRedis()
  queue = new Queue('default', { connection: redis.client() })
})
afterAll(async () => {
  await queue.close()
  await redis.stop()
})
beforeEach(() => redis.flush())

class SilentEvents extends EventEmitter {
  run = () => new Promise<void>(() => {})
}
const silent = () => new SilentEvents() as unknown as QueueEvents
const never = new AbortController().signal

async function runAll(process: () => Promise<unknown>) {
  const connection = redis.client()
  connection.options.maxRetriesPerRequest = null
  const worker = new Worker('default', process, { connection })
  const over = new Promise(resolve => worker.on('completed', resolve).on('failed', resolve))
  await over
  await worker.close()
}

test('the result is read from the job', async () => {
  const job = await queue.add('report', {})
  const watched = watchJob(queue, silent(), job.id!, { signal: never, lookEvery: 20 })
  await runAll(async () => ({ pages: 3 }))
  expect(await watched).toEqual({ event: 'completed', result: { pages: 3 } })
})

test('so is the reason of a failure, after the lines of the log', async () => {
  const seen: JobEvent[] = []
  const job = await queue.add('report', {})
  await job.log('out of ink')
  const watched = watchJob(queue, silent(), job.id!, {
    signal: never,
    lookEvery: 20,
    onEvent: event => seen.push(event),
  })
  await runAll(async () => {
    throw new Error('no paper')
  })
  expect(await watched).toEqual({ event: 'failed', reason: 'no paper' })
  expect(seen).toEqual([{ event: 'log', line: 'out of ink' }])
})

test('a job that is gone for good is not waited for', async () => {
  const job = await queue.add('report', {})
  await job.remove()
  await expect(watchJob(queue, silent(), job.id!, { signal: never, lookEvery: 20 })).rejects.toMatchObject({
    code: 'JOB_NOT_FOUND',
    message: `job ${job.id} is no longer in queue default`,
  })
})

test('the signal ends the watch with its reason, also while Redis is away', async () => {
  const job = await queue.add('report', {})
  const stop = new AbortController()
  redis.freeze()
  try {
    const watched = watchJob(queue, silent(), job.id!, { signal: stop.signal })
    stop.abort('enough')
    await expect(watched).rejects.toBe('enough')
  } finally {
    redis.thaw()
  }
  await expect(watchJob(queue, silent(), job.id!, { signal: stop.signal })).rejects.toBe('enough')
})

test('a stall, and what only events tell, is shown in order', async () => {
  const job = await queue.add('report', {})
  const seen: JobEvent[] = []
  const events = silent()
  const watched = watchJob(queue, events, job.id!, {
    signal: never,
    lookEvery: 20,
    onEvent: event => seen.push(event),
  })
  for (const [name, more] of [
    ['active', {}],
    ['stalled', {}],
    ['active', {}],
    ['progress', { data: 40 }],
    ['progress', { data: { done: 1, total: 2 } }],
    ['progress', { data: { phase: 'x' } }],
  ] as const)
    events.emit(name as 'active', { jobId: job.id!, ...more }, '0-0')
  events.emit('active', { jobId: 'another' }, '0-0')
  events.emit('completed', { jobId: job.id!, returnvalue: 1 as never }, '0-0')
  expect(await watched).toEqual({ event: 'completed', result: 1 })
  expect(seen).toEqual([
    { event: 'active', attempt: 1 },
    { event: 'stalled' },
    { event: 'active', attempt: 1 },
    { event: 'progress', done: 40, total: 100 },
    { event: 'progress', done: 1, total: 2 },
    { event: 'progress', done: 0, note: '{"phase":"x"}' },
  ])
})

/** A worker's locks, with jobs that go back to their queue while other slots of the same worker take jobs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, WaitingError, type Telemetry } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FleetWorker, type FleetWorkerEvents } from '../../src/fleet/fleet-worker.ts'
import { type FleetJob, RawResult } from '../../src/fleet/fleet-job.ts'
import { Replies } from '../../src/fleet/replies.ts'
import { Fence } from '../../src/redis/fence.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { untilFinished, untilState } from '../helpers/fleet.ts'

let redis: TestRedis
let client: Redis
beforeAll(async () => {
  redis = await startRedis()
  client = redis.client()
})
afterAll(() => redis.stop())

const CONCURRENCY = 10
const LOCK = 1_000

describe('FleetWorker', () => {
  // BullMQ forgets a lock by job id, after it has fetched the next job: a second slot may hold that id by then.
  it('keeps the lock of a job that one of its slots handed back and another took', async () => {
    const queue = new Queue('handed-back', { connection: client })
    const jobs = Array.from({ length: 4_000 }, (_, i) => ({
      name: i % 10 === 0 ? 'back' : 'quick',
      data: {},
    }))
    await queue.addBulk(jobs)
    let second = 0
    const unlocked: string[] = []
    const process: FleetWorkerEvents['process'] = async (job, token) => {
      if (job.name === 'back' && job.attemptsStarted === 1) {
        await sleep(20)
        await job.moveToWait(token)
        throw new WaitingError('handed back')
      }
      if (job.name === 'back') {
        await sleep(10)
        second++
        // What the next renewal would cover.
        if (!worker.renewed.includes(job.id)) unlocked.push(job.id)
      }
      return new RawResult('1')
    }
    class Worker extends FleetWorker {
      get renewed(): string[] {
        return this.lockManager.getTrackedJobIds()
      }
    }
    const connection = redis.client()
    const superseded: string[] = []
    const events = {
      process,
      onSuperseded: ({ id }: FleetJob) => void superseded.push(id),
      onReclaimed: () => {},
      onDeferred: async () => {},
    }
    const worker = new Worker('handed-back', events, new Fence(connection), new Replies(() => undefined), {
      connection,
      concurrency: CONCURRENCY,
      lockDuration: LOCK,
    })
    const errors: string[] = []
    worker.on('error', error => errors.push(error.message))
    const ended = worker.run()
    await untilFinished(queue, jobs.length)
    expect(second).toBe(jobs.length / 10)
    expect(unlocked).toEqual([])
    expect(errors).toEqual([])
    expect(superseded).toEqual([])
    // The last ones are let go when the answer of Redis has come back.
    await expect.poll(() => worker.renewed).toEqual([])
    await worker.pause(true)
    await worker.leave(15_000)
    await ended
    await queue.close()
  })

  it('takes and renews locks by the times that were set last', async () => {
    const queue = new Queue('times', { connection: client })
    const gates = [Promise.withResolvers<RawResult>(), Promise.withResolvers<RawResult>()]
    const events: FleetWorkerEvents = {
      process: job => gates[Number(job.name)]!.promise,
      onSuperseded: () => expect.unreachable(),
      onReclaimed: () => expect.unreachable(),
      onDeferred: async () => {},
    }
    const connection = redis.client()
    const options = { connection, concurrency: 2, lockDuration: LOCK, stalledInterval: 60_000 }
    const worker = new FleetWorker('times', events, new Fence(connection), new Replies(() => {}), options)
    const lockOf = (id?: string) => client.pttl(`bull:times:${id}:lock`)
    const ended = worker.run()
    const first = await queue.add('0', {})
    await expect.poll(() => lockOf(first.id)).toBeGreaterThan(0)
    worker.lockTimes = { lockDuration: 20_000, stalledInterval: 10_000 }
    const second = await queue.add('1', {})
    await expect.poll(() => lockOf(second.id)).toBeGreaterThan(10_000)
    // By the timer that was set for the short one.
    await expect.poll(() => lockOf(first.id)).toBeGreaterThan(10_000)
    for (const gate of gates) gate.resolve(new RawResult('1'))
    await untilFinished(queue, 2)
    await worker.pause(true)
    await worker.leave(15_000)
    await ended
    await queue.close()
  })

  it('works on after a job that cannot be begun, and lets go of it', async () => {
    const contextManager = {
      active: () => ({}),
      with: (_: unknown, act: () => unknown) => act(),
      getMetadata: () => '',
      fromMetadata: () => {
        throw new SyntaxError('no trace')
      },
    }
    const span = Object.fromEntries(
      ['setSpanOnContext', 'setAttributes', 'setAttribute', 'addEvent', 'recordException', 'end'].map(
        name => [name, () => undefined],
      ),
    )
    const telemetry = { tracer: { startSpan: () => span }, contextManager } as unknown as Telemetry
    await using b = begin('traced', async () => new RawResult('1'), { telemetry })
    const bad = await b.queue.add('bad', {}, { telemetry: { metadata: 'no trace' } })
    const good = await b.queue.add('good', {})
    expect(await untilState(b.queue, good.id)).toMatchObject({ state: 'completed' })
    expect(b.errors).toEqual(['no trace'])
    expect(b.worker.held).toBe(0)
    // Not lost: it is swept once its lock has run out.
    expect(await (await b.queue.getJob(bad.id as string))?.getState()).toBe('active')
  })

  it('runs a job of a scheduler whose payload is no JSON, as any other, and the next one is as scheduled', async () => {
    const queue = new Queue('scheduled', { connection: client })
    const job = await queue.upsertJobScheduler('s', { every: 600_000 }, { name: 'x', data: { a: 1 } })
    await client.hset(queue.toKey(job?.id as string), 'data', '{broken')
    await queue.close()
    const payloads: string[] = []
    await using b = begin('scheduled', async ({ payload }) => {
      payloads.push(payload)
      return new RawResult('1')
    })
    await expect.poll(() => b.queue.getCompletedCount()).toBe(1)
    expect(payloads).toEqual(['{broken'])
    expect((await b.queue.getDelayed()).map(({ data }) => data as unknown)).toEqual([{ a: 1 }])
    expect(b.errors).toEqual([])
  })

  it('leaves in time while Redis is away', async () => {
    const away = await startRedis()
    // Not one of its own: those are closed with it.
    const connection = new Redis(away.url, { maxRetriesPerRequest: null })
    connection.on('error', () => undefined)
    const events = { ...QUIET, process: async () => new RawResult('1') }
    const options = { connection, lockDuration: LOCK }
    const worker = new FleetWorker('away', events, new Fence(connection), new Replies(() => {}), options)
    worker.on('error', () => undefined)
    void worker.run()
    await worker.waitUntilReady()
    const lost = new Promise(resolve => connection.once('reconnecting', resolve))
    await away.stop()
    await lost
    await worker.pause(true)
    const asked = performance.now()
    await worker.leave(300)
    expect(performance.now() - asked).toBeLessThan(2_000)
    await expect(worker.closing).resolves.toBeUndefined()
    connection.disconnect()
  })
})

const QUIET = {
  onSuperseded: () => expect.unreachable(),
  onReclaimed: () => expect.unreachable(),
  onDeferred: async () => {},
}

/** A worker of a queue, running; it does not sweep within the test. */
function begin(name: string, process: FleetWorkerEvents['process'], more: { telemetry?: Telemetry } = {}) {
  const queue = new Queue(name, { connection: client })
  const connection = redis.client()
  const options = { connection, lockDuration: LOCK, stalledInterval: 60_000, ...more }
  const events = { ...QUIET, process }
  const worker = new FleetWorker(name, events, new Fence(connection), new Replies(() => {}), options)
  const errors: string[] = []
  worker.on('error', ({ message }) => errors.push(message))
  const ended = worker.run()
  return {
    queue,
    worker,
    errors,
    async [Symbol.asyncDispose]() {
      await worker.pause(true)
      await worker.leave(15_000)
      await ended
      await queue.close()
    },
  }
}

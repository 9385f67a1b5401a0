/** What a test of the fleet needs beside replicas: queues as any producer has them, and what became of jobs. */
import { Queue, type Job, type JobsOptions } from 'bullmq'
import type { Redis } from 'ioredis'
import { expect } from 'vitest'
import type { Act } from '../fixtures/actions.ts'
import { isLong } from './long.ts'
import type { TestRedis } from './redis.ts'

export const KINDS = ['thread', 'process'] as const
/** Of what lies above the port to an executor, which is the same for both: the second kind is for `npm run test:long`. */
export const EITHER_KIND = isLong ? KINDS : (['thread'] as const)

export interface Bench extends AsyncDisposable {
  client: Redis
  queue: Queue
  /** Adds a scripted job; `name` is its file, default `act`. */
  act(act: Act, options?: JobsOptions & { name?: string }): Promise<Job>
  acts(count: number, act: Act, options?: JobsOptions): Promise<Job[]>
  /** Opens the gate that `do: 'gate'` waits for. */
  open(key?: string): Promise<void>
}

/** An empty server and a queue on it. Of its own connections, closed at the end. */
export async function bench(redis: Pick<TestRedis, 'client'>, name = 'fleet'): Promise<Bench> {
  const client = redis.client()
  await client.flushall()
  const queue = new Queue(name, { connection: client })
  queue.on('error', () => undefined)
  return {
    client,
    queue,
    act: (act, { name: job = 'act', ...options } = {}) => queue.add(job, act, options),
    acts: (count, act, opts = {}) =>
      queue.addBulk(Array.from({ length: count }, () => ({ name: 'act', data: act, opts }))),
    open: async (key = 'open') => void (await client.set(key, '1')),
    async [Symbol.asyncDispose]() {
      await queue.close()
      client.disconnect()
    },
  }
}

export interface Fate {
  state: string
  attemptsMade: number
  attemptsStarted: number
  stalledCounter: number
  failedReason: string | undefined
  returnvalue: unknown
}

/** The job as Redis has it now. */
export async function fateOf(queue: Queue, id: string | undefined): Promise<Fate> {
  const job = await queue.getJob(id as string)
  if (job === undefined) throw new Error(`job ${id} is gone`)
  const { attemptsMade, attemptsStarted, stalledCounter, failedReason, returnvalue } = job
  return {
    state: await job.getState(),
    attemptsMade,
    attemptsStarted,
    stalledCounter,
    failedReason: failedReason === undefined || failedReason === null ? undefined : failedReason,
    returnvalue: returnvalue as unknown,
  }
}

/** Waits until the job has one of these states. */
export async function untilState(
  queue: Queue,
  id: string | undefined,
  states: string | string[] = ['completed', 'failed'],
  timeout = 120_000,
): Promise<Fate> {
  await expect
    .poll(async () => [states].flat().includes((await fateOf(queue, id)).state), {
      timeout,
      interval: 30,
      message: `job ${id} to be ${[states].flat().join(' or ')}`,
    })
    .toBe(true)
  return fateOf(queue, id)
}

/** Waits until so many jobs are completed and failed in all. */
export async function untilFinished(queue: Queue, count: number, timeout = 120_000): Promise<void> {
  await expect
    .poll(
      async () => {
        const { completed = 0, failed = 0 } = await queue.getJobCounts('completed', 'failed')
        return completed + failed
      },
      { timeout, interval: 50, message: `${count} jobs of ${queue.name} to be finished` },
    )
    .toBe(count)
}

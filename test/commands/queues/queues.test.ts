/** Queues seen and changed from a terminal. */
import { Queue } from 'bullmq'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { QueueFigures } from '../../../src/inspector/figures.ts'
import { type Bench, bench, untilState } from '../../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { Replica } from '../../helpers/replica.ts'
import { runner } from '../../helpers/runner.ts'

let redis: TestRedis
let b: Bench
let mail: Queue
beforeAll(async () => {
  redis = await startRedis()
  b = await bench(redis)
  mail = new Queue('mail', { connection: b.client })
})
afterAll(async () => {
  await mail.close()
  await b[Symbol.asyncDispose]()
  await redis.stop()
})

const queues = (...words: string[]) =>
  runner(['queues', ...words, '--redis', redis.url], { cwd: import.meta.dirname })
const figures = async (...words: string[]) =>
  JSON.parse((await queues('list', ...words, '--json')).stdout) as QueueFigures[]

it('lists what waits, what runs, how fast, and until when', async () => {
  await using _replica = await Replica.start({ redis, args: ['--queue', 'fleet:2', '--executors', '1'] })
  const done = await b.acts(20, { do: 'return' })
  for (const { id } of done) await untilState(b.queue, id, 'completed')
  await b.acts(5, { do: 'gate', key: 'gate' })
  await expect.poll(() => b.queue.getActiveCount()).toBe(2)
  await mail.add('a', {}, { timestamp: Date.now() - 60_000 })
  await mail.add('b', {}, { delay: 60_000 })
  // With its next beat the replica tells how many ended.
  await expect.poll(async () => (await figures('fleet'))[0]?.rate, { interval: 500 }).toBeGreaterThan(0)
  const [fleet, other] = await figures()
  expect(fleet).toMatchObject({ queue: 'fleet', waiting: 3, active: 2, completed: 20, replicas: 1, slots: 2 })
  expect(fleet?.drain).toBeCloseTo((3 * 1_000) / (fleet?.rate ?? 1), -2)
  expect(other).toMatchObject({ queue: 'mail', waiting: 1, delayed: 1, replicas: 0, rate: 0, drain: null })
  expect(other?.oldest).toBeGreaterThan(59_000)
  expect((await queues('list')).stdout).toMatch(/^QUEUE .*\nfleet +open .*\nmail +open +1 .*unknown\n$/)
  await b.open('gate')
})

it('pauses, resumes and limits all replicas together', async () => {
  expect((await queues('pause', 'mail')).stdout).toBe('mail: paused\n')
  expect(await mail.isPaused()).toBe(true)
  expect((await figures('mail'))[0]).toMatchObject({ paused: true, waiting: 1 })
  await queues('resume', 'mail')
  expect(await mail.isPaused()).toBe(false)
  expect((await queues('scale', 'mail', '3')).stdout).toBe('mail: off -> 3\n')
  expect(await mail.getGlobalConcurrency()).toBe(3)
  expect(JSON.parse((await queues('scale', 'mail', 'off', '--json')).stdout)).toEqual([
    { queue: 'mail', before: 3, now: null },
  ])
  expect(await queues('scale', 'mail', '0')).toMatchObject({ code: 2 })
  expect(await queues('pause', 'mali')).toMatchObject({
    code: 6,
    stderr: expect.stringContaining('did you mean mail?') as string,
  })
})

it('removes what waits and what ended long ago, once it is confirmed', async () => {
  expect(await queues('drain', 'mail')).toMatchObject({ code: 2 })
  expect((await queues('drain', 'mail', '--dry-run')).stdout).toBe('mail: up to 1 would be removed\n')
  expect(await mail.getJobCounts('wait', 'delayed')).toEqual({ wait: 1, delayed: 1 })
  expect((await queues('drain', 'mail', '--delayed', '--yes')).stdout).toBe('mail: 2 removed\n')
  expect(await mail.getJobCounts('wait', 'delayed')).toEqual({ wait: 0, delayed: 0 })

  const now = Date.now()
  for (let n = 0; n < 2_500; n++) {
    void b.client.hset(mail.toKey(`c${n}`), {
      name: 'a',
      data: '{}',
      opts: '{}',
      finishedOn: now - n * 100_000,
    })
    void b.client.zadd(mail.toKey('completed'), now - n * 100_000, `c${n}`)
  }
  await b.client.ping()
  expect(await queues('clean', 'mail')).toMatchObject({ code: 2 })
  expect((await queues('clean', 'mail', '--older-than', '100050s', '--dry-run')).stdout).toBe(
    'mail: 1499 would be removed\n',
  )
  expect((await queues('clean', 'mail', '--older-than', '100050s', '--limit', '1200', '--yes')).stdout).toBe(
    'mail: 1200 removed\n',
  )
  expect(await mail.getCompletedCount()).toBe(1_300)
  // The oldest first.
  expect(await b.client.exists(mail.toKey('c2499'))).toBe(0)
})

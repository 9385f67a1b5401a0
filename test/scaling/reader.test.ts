/** From Redis to a number: with replicas and what they measured, without, and when Redis is away. */
import { Queue } from 'bullmq'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { resolveConfig, type Config } from '../../src/config.ts'
import type { RunnerError } from '../../src/errors.ts'
import { Histogram } from '../../src/observe/histogram.ts'
import { Measured } from '../../src/redis/measured.ts'
import { Replicas, type Replica } from '../../src/redis/replicas.ts'
import { AllQueues } from '../../src/scaling/all-queues.ts'
import { ScaleReader } from '../../src/scaling/reader.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { open } from '../redis/open.ts'

let redis: TestRedis
let queue: Queue
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())
beforeEach(async () => {
  await redis.flush()
  queue = new Queue('mail', { connection: redis.client() })
  await queue.waitUntilReady()
})

const configOf = (flags: Record<string, unknown> = {}): Promise<Config> =>
  resolveConfig({ cwd: '/nonexistent', env: {}, flags })

async function reading(flags: Record<string, unknown> = {}) {
  const handle = await open(redis.url)
  const reader = new ScaleReader({ redis: handle, config: await configOf(flags), concurrencyOf: () => 10 })
  return { reader, [Symbol.asyncDispose]: () => handle.close() }
}

const publish = (id: string, queues: Record<string, number>, quiet = false) =>
  new Replicas(redis.client(), 'bull').publish({ id, queues, quiet } as Replica)

async function measure(ms: number, count: number): Promise<void> {
  const runs = new Histogram()
  for (let n = 0; n < count; n++) runs.record(ms)
  const counts = runs.pending.map(([bucket, times]) => ({ metric: 'run' as const, bucket, count: times }))
  await new Measured(redis.client(), 'bull').add('mail', counts)
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('it was answered'),
    (error: RunnerError) => `${error.code} ${error.message}`,
  )

it('takes concurrency from the live replicas that take jobs, and job time from what was measured', async () => {
  await publish('a', { mail: 4, other: 50 })
  await publish('b', { mail: 8 })
  await publish('c', { mail: 100 }, true)
  await publish('d', { other: 50 })
  await measure(2_000, 100)
  await using it = await reading()
  const { facts } = await it.reader.read('mail')
  expect(facts).toMatchObject({
    replicas: 2,
    concurrency: 6,
    concurrencyFrom: 'replicas',
    jobTimeFrom: 'measured',
  })
  expect(facts.jobTime).toBeGreaterThan(1_800)
  expect(facts.jobTime).toBeLessThan(2_200)
})

it('takes both from the settings where there is nothing else, those of the queue first', async () => {
  await using it = await reading()
  expect((await it.reader.read('mail')).facts).toMatchObject({
    replicas: 0,
    concurrency: 10,
    concurrencyFrom: 'setting',
    jobTime: 1_000,
    jobTimeFrom: 'setting',
  })
  const scaling = { mail: { concurrency: 3, jobTime: '250ms', maxReplicas: 2 } }
  await using own = await reading({ scaling, maxReplicas: '9' })
  await queue.addBulk(Array.from({ length: 9_000 }, () => ({ name: 'a', data: {} })))
  expect(await own.reader.read('mail')).toMatchObject({
    facts: { concurrency: 3, jobTime: 250 },
    wanted: 13,
    desiredReplicas: 2,
  })
})

it('goes by the last two days, and by the week where those had few runs', async () => {
  const past = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
  const client = redis.client()
  const bucketOf = (ms: number) => `run:${Math.ceil(Math.log2(ms) * 4)}`
  await client.hset(`bull:runner:measured:mail:${past(5)}`, bucketOf(60_000), 1_000)
  await using it = await reading()
  const jobTime = async () => (await it.reader.read('mail')).facts.jobTime
  await measure(100, 19)
  expect(await jobTime()).toBeGreaterThan(50_000)
  await measure(100, 1)
  expect(await jobTime()).toBeLessThan(120)
})

it('refuses a queue that is not there, and limits that contradict each other', async () => {
  await using it = await reading({ minReplicas: '5', scaling: { mail: { maxReplicas: 4 } } })
  expect(await failure(it.reader.read('mail'))).toContain(
    'CONFIG_INVALID queue mail: minReplicas 5 is more than',
  )
  expect(await failure(it.reader.read('mali'))).toContain('QUEUE_UNKNOWN there is no queue mali')
})

it('says within two seconds that Redis cannot be read, however many ask, and knows again when it is back', async () => {
  await queue.add('a', {})
  await using it = await reading()
  expect((await it.reader.read('mail')).desiredReplicas).toBe(1)
  redis.freeze()
  try {
    const began = performance.now()
    const asked = await Promise.all(
      Array.from({ length: 300 }, (_, n) => failure(it.reader.read(`queue-${n}`))),
    )
    expect(asked.filter(text => !text.startsWith('REDIS_UNREACHABLE Redis at redis://127.0.0.1'))).toEqual([])
    expect(asked[0]).toContain('no answer within 2000 ms')
    // No more than a hundred wait for Redis.
    expect(asked.filter(text => text.includes('none of those before'))).toHaveLength(200)
    expect(await failure(it.reader.ping())).toContain('REDIS_UNREACHABLE')
    expect(performance.now() - began).toBeLessThan(8_000)
  } finally {
    redis.thaw()
  }
  await expect
    .poll(async () => (await it.reader.read('mail').catch(() => undefined))?.desiredReplicas)
    .toBe(1)
}, 60_000)

it('says so as well when this user may not read', async () => {
  const admin = redis.client()
  await admin.acl('SETUSER', 'other', 'reset', 'on', '>x', '~other:*', '+@all')
  const url = new URL(redis.url)
  url.username = 'other'
  url.password = 'x'
  await using handle = await open(url.href)
  const reader = new ScaleReader({ redis: handle, config: await configOf(), concurrencyOf: () => 10 })
  expect(await failure(reader.read('mail'))).toContain('REDIS_UNREACHABLE')
})

it('needs no more than to read', async () => {
  const admin = redis.client()
  const commands =
    'eval_ro exists get hgetall hmget info llen lrange ping quit time zcard zcount zrange zrangebyscore'
  const allowed = commands.split(' ').map(command => `+${command}`)
  await admin.acl('SETUSER', 'reader', 'reset', 'on', '>x', '%R~bull:*', ...allowed)
  await publish('a', { mail: 4 })
  await measure(2_000, 100)
  const url = new URL(redis.url)
  url.username = 'reader'
  url.password = 'x'
  await using handle = await open(url.href)
  const reader = new ScaleReader({ redis: handle, config: await configOf(), concurrencyOf: () => 10 })
  expect((await reader.read('mail')).facts).toMatchObject({ replicas: 1, jobTimeFrom: 'measured' })
})

it('reads all queues that there are, or those that the settings name', async () => {
  const other = new Queue('other', { connection: redis.client() })
  await other.waitUntilReady()
  await using handle = await open(redis.url)
  const namesOf = async (queues: string[]) => {
    const config = await configOf({ queues })
    const reader = new ScaleReader({ redis: handle, config, concurrencyOf: () => 10 })
    const all = await new AllQueues({ redis: handle, reader, config }).read()
    return all.map(({ facts }) => facts.signal.queue)
  }
  expect(await namesOf([])).toEqual(['mail', 'other'])
  expect(await namesOf(['other:5', 'not-made-yet'])).toEqual(['other'])
  await other.close()
})

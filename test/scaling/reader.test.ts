/** From Redis to a number: with replicas and what they measured, without, and when Redis is away. */
import { Queue } from 'bullmq'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { resolveConfig, type Config } from '../../src/config.ts'
import type { RunnerError } from '../../src/errors.ts'
import { Histogram } from '../../src/observe/histogram.ts'
import { Measured } from '../../src/redis/measured.ts'
import { Replicas, type Replica } from '../../src/redis/replicas.ts'
import { AllQueues } from '../../src/scaling/all-queues.ts'
import { ScaleReader } from '../../src/scaling/reader.ts'
import { requireRules } from '../../src/scaling/rules.ts'
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
  const client = handle.connect('scale')
  const reader = new ScaleReader({
    redis: { ...handle, connect: () => client },
    config: await configOf(flags),
    concurrencyOf: () => 10,
  })
  return { reader, client, [Symbol.asyncDispose]: () => handle.close() }
}

const publish = (id: string, queues: Record<string, number>, quiet = false) =>
  new Replicas(redis.client(), 'bull').publish({ id, queues, quiet } as Replica)

async function measure(ms: number, count: number): Promise<void> {
  const runs = new Histogram()
  for (let n = 0; n < count; n++) runs.record(ms)
  const counts = runs.pending.map(([bucket, times]) => ({ metric: 'run' as const, bucket, count: times }))
  await new Measured(redis.client(), 'bull').add('mail', counts)
}

const failureOr = <T>(promise: Promise<T>) =>
  promise.catch(({ code, message }: RunnerError) => `${code} ${message}`)

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

it('refuses before any queue is asked for what none, or one, could be scaled by', async () => {
  const refused = async (flags: Record<string, unknown>) => {
    const config = await configOf(flags)
    return failure(Promise.resolve().then(() => requireRules(config)))
  }
  expect(await refused({ minReplicas: '5', maxReplicas: '4' })).toContain(
    'CONFIG_INVALID of all queues: minReplicas 5 is more than maxReplicas 4',
  )
  expect(await refused({ minReplicas: '5', scaling: { img: {}, mail: { maxReplicas: 4 } } })).toContain(
    'CONFIG_INVALID queue mail: minReplicas 5 is more than maxReplicas 4',
  )
  const fine = { minReplicas: '5', scaling: { mail: { minReplicas: 1, maxReplicas: 4 } } }
  expect(requireRules(await configOf(fine))).toBeUndefined()
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
    // All who ask whether it is there wait for one answer.
    const ping = vi.spyOn(it.client, 'ping')
    const pinged = await Promise.all(Array.from({ length: 300 }, () => failure(it.reader.ping())))
    expect(pinged.filter(text => !text.startsWith('REDIS_UNREACHABLE'))).toEqual([])
    expect(ping).toHaveBeenCalledTimes(1)
    expect(performance.now() - began).toBeLessThan(8_000)
  } finally {
    redis.thaw()
  }
  await expect
    .poll(async () => (await it.reader.read('mail').catch(() => undefined))?.desiredReplicas)
    .toBe(1)
  await it.reader.ping()
})

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
  // Also what it takes to tell of schedules that are late.
  await queue.upsertJobScheduler('hourly', { every: 3_600_000 }, { name: 'a' })
  await admin.zadd('bull:mail:repeat', 1, 'hourly')
  const onError = (name: string) => expect.unreachable(name)
  const all = new AllQueues({ redis: handle, reader, config: await configOf({ queues: ['mail'] }), onError })
  expect(await all.read()).toMatchObject([{ schedules: [{ queue: 'mail', schedule: 'hourly', nextRun: 1 }] }])
})

async function readAll(flags: Record<string, unknown> = {}) {
  await using handle = await open(redis.url)
  const config = await configOf(flags)
  const reader = new ScaleReader({ redis: handle, config, concurrencyOf: () => 10 })
  const told: string[] = []
  const onError = (name: string, error: unknown) => told.push(`${name}: ${(error as RunnerError).message}`)
  const all = new AllQueues({ redis: handle, reader, config, onError })
  const names = await failureOr(
    all.read().then(read => read.map(({ estimate }) => estimate.facts.signal.queue)),
  )
  return { names, told }
}

it('reads all queues that there are, or those that the settings name', async () => {
  const other = new Queue('other', { connection: redis.client() })
  await other.waitUntilReady()
  expect(await readAll()).toEqual({ names: ['mail', 'other'], told: [] })
  expect(await readAll({ queues: ['other:5', 'not-made-yet'] })).toEqual({ names: ['other'], told: [] })
  await other.close()
})

it('leaves out a queue that cannot be read, and says so: of the others all is told', async () => {
  const client = redis.client()
  // Of other programs.
  await client.hset('bull:alien:meta', 'a', 1)
  await client.set('bull:alien:wait', 'no list')
  await client.hset('bull:beta:meta', 'a', 1)
  await client.set('bull:beta:repeat', 'no set')
  const scaling = { capped: { maxReplicas: 4 } }
  await client.hset('bull:capped:meta', 'a', 1)
  const { names, told } = await readAll({ minReplicas: '5', scaling })
  expect(names).toEqual(['mail'])
  expect(told).toEqual([
    expect.stringMatching(/^alien: .*WRONGTYPE/),
    expect.stringMatching(/^beta: .*WRONGTYPE/),
    expect.stringMatching(/^capped: queue capped: minReplicas 5 is more/),
  ])
  // Of none: what was not read is never told as nothing.
  const none = await readAll({ queues: ['alien'] })
  expect(none.names).toMatch(/^REDIS_UNREACHABLE .*WRONGTYPE/)
})

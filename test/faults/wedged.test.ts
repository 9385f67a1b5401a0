/** When a replica is not alive any more, and when it is although nothing moves. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bench, untilState } from '../helpers/fleet.ts'
import { expectPromiseKept, untilRecorded } from '../helpers/oracle.ts'
import { proberOf } from '../helpers/probe.ts'
import { SilentProxy } from '../helpers/proxy.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeEach(async () => void (redis = await startRedis()))
afterEach(() => redis.stop())

/** The shortest that is allowed, in milliseconds. */
const BOUND = 15_000
const ARGS = ['--http', '127.0.0.1:0', '--executors', '1', '--wedged-after', '15s']
const within = { interval: 250 }

it('is not alive when its fetches are lost and new ones do not help, and is again when they do', async () => {
  await using proxy = await SilentProxy.open(redis)
  await using b = await bench(redis)
  await using replica = await Replica.start({ redis: proxy, oracle: redis, args: ARGS })
  const ask = await proberOf(replica)
  expect(await ask('/livez')).toMatchObject({ status: 200 })
  // All connections by which jobs are fetched, old and new; BullMQ names the one that blocks. Those that ask how Redis
  // is go on.
  expect(proxy.swallow({ named: /^(runner:fleet$|bull:)/ })).toBeGreaterThanOrEqual(2)
  const jobs = await b.acts(12, { do: 'return', value: 'late' })
  await expect.poll(async () => (await ask('/livez')).status, within).toBe(503)
  expect((await ask('/livez')).said).toMatch(
    /^wedged: fleet: 12 wait, 10 of 10 slots are free, and nothing was fetched for 1\d s$/,
  )
  expect(replica.events('worker.recreated')).toMatchObject([{ level: 40, queue: 'fleet', waiting: 12 }])
  expect(replica.events('replica.wedged')).toMatchObject([{ level: 50, queue: 'fleet' }])

  proxy.heal()
  for (const { id } of jobs) await untilState(b.queue, id)
  await expect.poll(async () => (await ask('/livez')).status, within).toBe(200)
  await expectPromiseKept(b.client, { ids: jobs.map(({ id }) => id as string), starts: 1 })
  replica.kill('SIGTERM')
  expect((await replica.ended).code).toBe(0)
})

it('replaces a worker whose fetch was never answered before it counts as wedged', async () => {
  await using b = await bench(redis)
  const NODE_OPTIONS = `--import ${new URL('../fixtures/hang-first-fetch.ts', import.meta.url).href}`
  const args = [...ARGS, '--queue', 'fleet']
  await using replica = await Replica.start({ redis, args, env: { NODE_OPTIONS } })
  const ask = await proberOf(replica)
  const jobs = await b.acts(3, { do: 'return', value: 'done' })
  for (const { id } of jobs)
    expect(await untilState(b.queue, id)).toMatchObject({ state: 'completed', attemptsStarted: 1 })
  await replica.event('worker.recreated')
  const [told, ...more] = replica.events('worker.recreated')
  expect(told).toMatchObject({ queue: 'fleet', waiting: 3, running: 0 })
  expect(Number(told?.['ms'])).toBeLessThan(BOUND)
  expect(more).toEqual([])
  expect(replica.events('replica.wedged')).toEqual([])
  expect((await ask('/livez')).status).toBe(200)
  replica.kill('SIGTERM')
  expect((await replica.ended).code).toBe(0)
})

it('is alive while it is idle, paused, limited, saturated, and while Redis is away, for longer than the bound', async () => {
  const client = redis.client()
  const queues = ['held', 'rated', 'shared', 'full:1']
  const args = [...ARGS, ...queues.flatMap(queue => ['--queue', queue])]
  await using replica = await Replica.start({ redis, args })
  const ask = await proberOf(replica)
  const queue = (name: string) => new Queue(name, { connection: client })
  const add = (name: string, act: object) => queue(name).addBulk([{ name: 'act', data: act }])
  const says = (what: string | RegExp) =>
    expect.poll(async () => (await ask('/livez')).said, within).toMatch(what)

  await says(/^idle$/)
  await queue('held').pause()
  for (let i = 0; i < 2; i++) await add('held', { do: 'return' })
  await says('paused: held: paused, 2 wait')
  await queue('rated').setGlobalRateLimit(1, 600_000)
  for (let i = 0; i < 3; i++) await add('rated', { do: 'return' })
  await says('limited: rated: 2 wait for the rate limit of the queue')
  await queue('rated').pause()
  await queue('shared').setGlobalConcurrency(1)
  for (let i = 0; i < 3; i++) await add('shared', { do: 'gate' })
  await says('limited: shared: 2 wait, as many run in all replicas as the queue lets')
  await queue('rated').resume()
  for (let i = 0; i < 3; i++) await add('full', { do: 'gate' })
  await says('saturated: full: 2 wait, all 1 slots are taken')
  await untilRecorded(client, 'start', 3)

  const statuses = new Set<number>()
  const watch = async (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end; await sleep(500))
      statuses.add((await ask('/livez')).status)
  }
  await watch(BOUND + 5_000)
  redis.freeze()
  await watch(BOUND + 3_000)
  expect((await ask('/livez')).said).toMatch(/^redis-down: Redis has not answered for \d+ s$/)
  redis.thaw()
  expect([...statuses]).toEqual([200])
  await client.set('open', '1')
  await untilRecorded(client, 'end', 4)
  expect([...replica.events('worker.recreated'), ...replica.events('replica.wedged')]).toEqual([])
})

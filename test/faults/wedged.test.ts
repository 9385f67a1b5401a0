/** When a replica is not alive any more. When it is although nothing moves: still.test.ts. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bench, untilState } from '../helpers/fleet.ts'
import { expectPromiseKept } from '../helpers/oracle.ts'
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

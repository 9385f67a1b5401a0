/** The network drops every packet to Redis, and sockets stay open: noticed, waited out, and the fleet goes on by itself. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bench, untilState } from '../helpers/fleet.ts'
import { expectPromiseKept, untilRecorded } from '../helpers/oracle.ts'
import { proberOf } from '../helpers/probe.ts'
import { SilentProxy } from '../helpers/proxy.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

/** Longer than a lock and than the time after which a silent socket is cut. Milliseconds. */
const HOLE = 20_000

it('notices it within 20 s, stays alive, and works within 10 s after it is over', async () => {
  await using proxy = await SilentProxy.open(redis)
  await using b = await bench(redis)
  const args = ['--http', '127.0.0.1:0', '--executors', '1', '--lock-duration', '4s']
  await using replica = await Replica.start({ redis: proxy, oracle: redis, args })
  const ask = await proberOf(replica)
  const jobs = await b.acts(5, { do: 'gate', value: 'kept' })
  await untilRecorded(b.client, 'start', 5)
  expect(await ask('/readyz')).toMatchObject({ status: 200 })

  const began = performance.now()
  expect(proxy.swallow()).toBeGreaterThan(3)
  // Handlers go on meanwhile, and end; what they made cannot be delivered.
  await b.open()
  await untilRecorded(b.client, 'end', 5)
  jobs.push(...(await b.acts(3, { do: 'return', value: 'kept' })))
  await replica.event('redis.silent')
  expect(performance.now() - began).toBeLessThan(20_000)
  expect((await ask('/readyz')).said).toContain('redis-down: Redis has not answered for ')
  expect((await ask('/livez')).status).toBe(200)
  await sleep(HOLE - (performance.now() - began))
  expect((await ask('/livez')).status).toBe(200)

  proxy.heal()
  const healed = performance.now()
  for (const { id } of jobs) expect(await untilState(b.queue, id)).toMatchObject({ state: 'completed' })
  expect(performance.now() - healed).toBeLessThan(10_000)
  const fates = await Promise.all(jobs.map(({ id }) => untilState(b.queue, id)))
  expect(fates.map(({ returnvalue }) => returnvalue)).toEqual(jobs.map(() => 'kept'))
  await expectPromiseKept(b.client, { ids: jobs.map(({ id }) => id as string), starts: 1 })
  await expect.poll(async () => (await ask('/readyz')).status).toBe(200)
  expect(replica.events('redis.answers')).toHaveLength(1)
  expect([...replica.events('replica.wedged'), ...replica.events('worker.recreated')]).toEqual([])
})

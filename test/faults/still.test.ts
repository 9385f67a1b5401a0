/** When a replica is alive although nothing moves. When it is not: wedged.test.ts. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { untilRecorded } from '../helpers/oracle.ts'
import { proberOf } from '../helpers/probe.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

/** The shortest that is allowed, in milliseconds. */
const BOUND = 15_000
const ARGS = ['--http', '127.0.0.1:0', '--executors', '1', '--wedged-after', '15s']
const within = { interval: 250 }

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

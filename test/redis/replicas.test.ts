import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { readClock } from '../../src/redis/clock.ts'
import { Replicas } from '../../src/redis/replicas.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { replicaEntry } from '../helpers/replica-entry.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())
afterEach(() => void vi.restoreAllMocks())

const replica = (id: string) => replicaEntry({ id, queues: { mail: 10 }, jobs: ['send'] })

/** This process' clock is off from now on: that of the server is not. */
function setClockOff(ms: number): void {
  const now = Date.now
  vi.spyOn(Date, 'now').mockImplementation(() => now() + ms)
}

it.each([4_000, -4_000])(
  'publishes that the clock is %i ms off, and lives by that of the server',
  async off => {
    const replicas = new Replicas(redis.client(), `clock${off}`)
    setClockOff(off)
    await replicas.publish(replica('a'))
    const [published] = await replicas.list()
    expect(published).toMatchObject({ id: 'a', jobs: ['send'] })
    // What the way to Redis and back may explain is left out.
    expect(Math.abs(published?.skew ?? NaN)).toBeLessThanOrEqual(Math.abs(off) + 1)
    expect(Math.abs(published?.skew ?? NaN)).toBeGreaterThan(Math.abs(off) - 1_000)
    expect(Math.sign(published?.skew ?? NaN)).toBe(Math.sign(off))
  },
)

it('takes a slow answer for no skew', async () => {
  const time = (seconds: number) => ({ time: () => Promise.resolve([seconds, 0] as never) })
  const own = vi.spyOn(Date, 'now')
  // Asked at 10 s, answered at 14 s: the server may have looked at its clock at any time between.
  for (const [server, skew] of [
    [10, 0],
    [12, 0],
    [14, 0],
    [17, -3_000],
    [9, 1_000],
  ] as const) {
    own.mockReturnValueOnce(10_000).mockReturnValueOnce(14_000)
    expect(await readClock(time(server))).toEqual({ now: server * 1_000, skew })
  }
})

it('lists who is live without writing; who beats next takes those away that are not', async () => {
  const client = redis.client()
  const replicas = new Replicas(client, 'p')
  await replicas.publish(replica('a'))
  await client.zadd('p:runner:replicas', Date.now() - 60_000, 'gone')
  expect((await replicas.list()).map(({ id }) => id)).toEqual(['a'])
  expect(await client.zrange('p:runner:replicas', '0', '-1')).toEqual(['gone', 'a'])
  await replicas.publish(replica('b'))
  expect((await client.zrange('p:runner:replicas', '0', '-1')).sort()).toEqual(['a', 'b'])
  await replicas.remove('a')
  expect((await replicas.list()).map(({ id }) => id)).toEqual(['b'])
})

it('reads what an older version published', async () => {
  const client = redis.client()
  const replicas = new Replicas(client, 'old')
  await replicas.publish(replica('a'))
  const { rates: _, blocked: __, handlers: ___, ...old } = replica('a')
  await client.set('old:runner:replicas:a', JSON.stringify({ ...old, terms: { grace: 1 } }))
  expect(await replicas.list()).toMatchObject([
    { id: 'a', rates: {}, blocked: [], handlers: {}, terms: { grace: 1, abortGrace: 1_000 } },
  ])
})

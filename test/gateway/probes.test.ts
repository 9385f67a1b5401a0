/** What a replica answers to an orchestrator, from before it has booted until it is gone. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bench } from '../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

it('is ready once it takes jobs, and not any more from the moment it is told to stop', async () => {
  await using b = await bench(redis)
  await using replica = await Replica.start({ redis, args: ['--http', '127.0.0.1:0', '--executors', '1'] })
  const { url } = await replica.event('http.listening')
  const ask = async (path: string) => {
    const answer = await fetch(`${String(url)}${path}`)
    return [answer.status, await answer.text()]
  }
  expect(await ask('/startupz')).toEqual([200, 'started\n'])
  expect(await ask('/readyz')).toEqual([200, 'ready\n'])
  expect(await ask('/livez')).toEqual([200, 'idle\n'])
  await b.act({ do: 'gate', say: 'up' })
  await expect.poll(() => b.client.llen('up')).toBe(1)
  replica.kill('SIGTERM')
  await replica.event('fleet.stopping')
  expect(await ask('/readyz')).toEqual([503, 'draining: told to stop\n'])
  expect(await ask('/livez')).toEqual([200, 'draining: told to stop\n'])
  await b.open()
  expect((await replica.ended).code).toBe(0)
})

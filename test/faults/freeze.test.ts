/** The whole replica froze beyond its locks, so another one ran its jobs: what is left of the older runs ends. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bench, fateOf, untilState } from '../helpers/fleet.ts'
import { untilRecorded } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const args = [
  '--lock-duration',
  '1s',
  '--stalled-interval',
  '1s',
  '--executors',
  '1',
  '--abort-grace',
  '500ms',
]

it.each([
  ['listens', { do: 'sleep', ms: 600_000 }],
  ['spins', { do: 'spin-forever' }],
])('aborts and ends an older run that %s, and keeps the result of the newer one', async (how, act) => {
  await using b = await bench(redis)
  await using frozen = await Replica.start({ redis, args })
  const { id } = await b.act({ ...act, untilFence: 2, say: 'up' })
  await untilRecorded(b.client, 'start', 1)
  frozen.kill('SIGSTOP')
  await using _other = await Replica.start({ redis, args })
  const finished = { state: 'completed', returnvalue: 'done at last', attemptsStarted: 2, attemptsMade: 1 }
  expect(await untilState(b.queue, id)).toMatchObject(finished)

  const woken = performance.now()
  frozen.kill('SIGCONT')
  await frozen.event('job.superseded', { id })
  if (how === 'listens') await expect.poll(() => b.client.lrange('up:aborted', 0, -1)).toEqual([id])
  else await frozen.event('executor.ended')
  expect(performance.now() - woken, frozen.stderr).toBeLessThan(2_000)

  // It is whole again, and the job is as the newer run left it.
  const next = await b.act({ do: 'return' })
  expect(await untilState(b.queue, next.id)).toMatchObject({ state: 'completed', attemptsStarted: 1 })
  frozen.kill('SIGTERM')
  expect((await frozen.ended).code).toBe(0)
  expect(await fateOf(b.queue, id)).toMatchObject(finished)
})

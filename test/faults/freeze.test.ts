/** The whole replica froze beyond its locks, so another one ran its jobs: what is left of the older runs ends. */
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bench, EITHER_KIND, fateOf, untilState } from '../helpers/fleet.ts'
import { readOracle, untilRecorded } from '../helpers/oracle.ts'
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

const fences = fileURLToPath(new URL('../fixtures/jobs-fence', import.meta.url))
const LOCK = 1_500

it.each(EITHER_KIND)(
  'refuses every write of 20 runs in a %s that woke from a freeze, and ends them',
  async kind => {
    await using b = await bench(redis, 'fence')
    const more = ['--lock-duration', `${LOCK}ms`, '--stalled-interval', '500ms']
    const flags = [...more, '--concurrency', '20', '--executors', '1', '--isolation', kind]
    await using frozen = await Replica.start({ redis, jobs: fences, args: flags })
    const jobs = await b.queue.addBulk(
      Array.from({ length: 20 }, (_, i) => ({ name: 'writer', data: { deaf: i % 2 === 0 } })),
    )
    const ids = jobs.map(({ id }) => id as string)
    await untilRecorded(b.client, 'start', 20)
    frozen.kill('SIGSTOP')
    const thrice = sleep(3 * LOCK)
    await using _other = await Replica.start({ redis, jobs: fences, args: flags })
    await untilRecorded(b.client, 'start', 40)
    await expect.poll(() => writtenBy(b.queue, ids)).toEqual(['run 2'])
    await thrice

    const woken = performance.now()
    frozen.kill('SIGCONT')
    await frozen.until(() => frozen.events('job.superseded').length === 20, 'twenty superseded runs')
    // Ten go on after they were refused: only the end of their executor ends them.
    await frozen.event('executor.ended')
    expect(performance.now() - woken, frozen.stderr).toBeLessThan(1_000)
    expect(new Set(await b.client.lrange('aborted', 0, -1))).toEqual(new Set(ids))
    const refused = await b.client.lrange('refused', 0, -1)
    expect(refused.length).toBeGreaterThanOrEqual(20)
    expect(refused.filter(line => !line.endsWith(' SupersededError JOB_SUPERSEDED'))).toEqual([])
    expect(await writtenBy(b.queue, ids)).toEqual(['run 2'])

    await b.open()
    for (const id of ids) {
      expect(await untilState(b.queue, id)).toMatchObject({ state: 'completed', returnvalue: 'run 2' })
    }
    expect(await writtenBy(b.queue, ids)).toEqual(['run 2'])
    frozen.kill('SIGTERM')
    await frozen.ended
    expect(frozen.events('fleet.stopped')).toMatchObject([{ superseded: 20, handedBack: 0 }])
    await expectEachStarted(b.client, ids, 2)
  },
)

/** Whose checkpoints and progress the jobs have: all that were ever seen at once. */
async function writtenBy(queue: Queue, ids: readonly string[]): Promise<unknown[]> {
  const client = await queue.getBackend().client
  const seen = new Set<unknown>()
  for (const id of ids) {
    const { progress } = (await queue.getJob(id)) as { progress: { note?: string } }
    seen.add(progress.note)
    const checkpoint = await client.hget(queue.toKey(id), 'runner:checkpoint')
    seen.add(JSON.parse(checkpoint ?? 'null'))
  }
  return [...seen]
}

async function expectEachStarted(client: Redis, ids: readonly string[], times: number): Promise<void> {
  const oracle = await readOracle(client)
  expect(ids.filter(id => oracle.get(id)?.starts.length !== times)).toEqual([])
  expect(ids.filter(id => oracle.get(id)?.ends.includes(times) !== true)).toEqual([])
}

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

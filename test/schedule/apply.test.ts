/** Several processes that apply at once, as the init containers of several replicas do, while a worker takes the jobs. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Queue, Worker, type Job } from 'bullmq'
import { expect, it } from 'vitest'
import { startRedis } from '../helpers/redis.ts'

const PROCESS = fileURLToPath(new URL('apply-process.ts', import.meta.url))
const ROUNDS = 80
const PROCESSES = 3

it('leave one scheduler and one next job of each, however often', async () => {
  await using redis = await startRedis()
  const client = redis.client()
  const queue = new Queue('default', { connection: client })
  const worker = new Worker('default', () => Promise.resolve(), { connection: redis.client() })
  const children = Array.from({ length: PROCESSES }, () =>
    spawn(process.execPath, [PROCESS, String(redis.port), String(ROUNDS)], {
      stdio: 'inherit',
    }),
  )
  const ended = Promise.all(children.map(child => once(child, 'close')))
  try {
    const pending = async (): Promise<Record<string, number>> => {
      const jobs = await queue.getJobs(['delayed', 'waiting', 'prioritized'])
      const byScheduler = Object.groupBy(jobs as Job[], job => job.repeatJobKey ?? 'none')
      return Object.fromEntries(Object.entries(byScheduler).map(([id, list]) => [id, list?.length ?? 0]))
    }
    for (let round = 0; round < ROUNDS; round++) {
      await client.rpush(`go:${round}`, ...children.map(() => 1))
      for (const _ of children) expect(await client.blpop(`done:${round}`, 90)).not.toBeNull()
      const ids = round % 5 === 4 ? ['every', 'same'] : ['cron', 'every', 'far', 'same']
      const one = Object.fromEntries(ids.map(id => [id, 1]))
      // While the worker has just taken one, the next is not there yet; never are there two.
      await expect
        .poll(
          async () => {
            const counts = await pending()
            if (Object.values(counts).some(count => count > 1)) return `two: ${JSON.stringify(counts)}`
            return counts
          },
          { interval: 1 },
        )
        .toEqual(one)
      expect((await client.zrange('bull:default:repeat', '0', '-1')).sort()).toEqual(ids)
    }
    expect((await ended).map(([code]) => code as number)).toEqual(children.map(() => 0))
    // Its args were changed all the time, its interval of an hour never: it ran when it was made, and not again.
    const done = Object.groupBy(await queue.getCompleted(), job => job.name)
    expect(done['same']).toHaveLength(1)
    expect(done).not.toHaveProperty('far')
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await worker.close()
  }
})

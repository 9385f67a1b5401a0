/** One executor with ten runs: a handler ends it. How long until each of its neighbours runs again, in milliseconds. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { Replica } from '../test/helpers/replica.ts'
import type { TestRedis } from '../test/helpers/redis.ts'

const NEIGHBOURS = 9

export async function neighbourWaits(redis: TestRedis): Promise<number[]> {
  await redis.flush()
  const client = redis.client()
  const queue = new Queue('executor-end', { connection: client })
  const jobs = new URL('./jobs', import.meta.url).pathname
  const args = ['--queue', queue.name, '--executors', '1']
  await using _replica = await Replica.start({ redis, jobs, args, logLevel: 'info' })
  try {
    const held = await queue.addBulk(
      Array.from({ length: NEIGHBOURS }, () => ({ name: 'hold', data: { ms: 600_000 } })),
    )
    while ((await queue.getActiveCount()) < NEIGHBOURS) await sleep(20)
    const { id } = await queue.add('exit', {}, { attempts: 3 })
    // It ends its executor as the first thing it does.
    let endedAt = 0
    while (endedAt === 0) endedAt = (await queue.getJob(id as string))?.processedOn ?? 0
    while ((await queue.getCompletedCount()) < NEIGHBOURS) await sleep(20)
    const again = await Promise.all(held.map(job => queue.getJob(job.id as string)))
    return again.map(job => (job?.processedOn ?? 0) - endedAt)
  } finally {
    await queue.close()
    client.disconnect()
  }
}

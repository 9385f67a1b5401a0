/** How long a handler holds its event loop until its job and its line are named, in milliseconds. */
import { Queue } from 'bullmq'
import { Replica } from '../test/helpers/replica.ts'
import type { TestRedis } from '../test/helpers/redis.ts'

export async function namingTime(isolation: 'thread' | 'process', redis: TestRedis): Promise<number> {
  await redis.flush()
  const client = redis.client()
  const queue = new Queue('naming', { connection: client })
  const jobs = new URL('./jobs', import.meta.url).pathname
  const args = ['--queue', queue.name, '--isolation', isolation]
  await using replica = await Replica.start({ redis, jobs, args, logLevel: 'info' })
  try {
    const { id } = await queue.add('block', { ms: 3_000 })
    const { ms, where } = await replica.event('job.blocked', { id: id as string })
    if (!String(where).includes('block.ts:')) throw new Error(`it is not named: ${String(where)}`)
    return ms as number
  } finally {
    await queue.close()
    client.disconnect()
  }
}

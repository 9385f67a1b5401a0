/**
 * How long the jobs of a replica that is killed wait until they are started again: from SIGKILL to the second start,
 * with the lock and stall settings that each subject has by default. Replicas are killed one after the other at random
 * moments of one lock duration, so that no phase of a timer is favoured.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { Replica } from '../test/helpers/replica.ts'
import type { TestRedis } from '../test/helpers/redis.ts'
import { startSubject } from './subject-process.ts'

const VICTIMS = 8
const HELD = 5
/** Milliseconds: BullMQ's default, and ours. */
const LOCK_DURATION = { bare: 30_000, fleet: 8_000 }
const FOREVER = 600_000

interface Victim {
  kill: () => void
  ids: string[]
  killedAt: number
}

/** Milliseconds of each job, ascending. */
export async function recoveryTimes(kind: 'bare' | 'fleet', redis: TestRedis): Promise<number[]> {
  await redis.flush()
  const client = redis.client()
  const queue = new Queue(`recovery-${kind}`, { connection: client })
  const victims: Victim[] = []
  const survivors: (() => void)[] = []
  try {
    // One at a time: those before are full, so the new jobs are its own.
    for (let i = 0; i < VICTIMS; i++) {
      const kill = await start(kind, queue.name, HELD, redis)
      survivors.push(kill)
      const added = await queue.addBulk(
        Array.from({ length: HELD }, () => ({ name: 'hold', data: { ms: FOREVER } })),
      )
      victims.push({ kill, ids: added.map(({ id }) => id as string), killedAt: 0 })
      while ((await queue.getActiveCount()) < HELD * victims.length) await sleep(20)
    }
    survivors.push(await start(kind, queue.name, HELD * VICTIMS, redis))
    const moments = victims.map(() => Math.random() * LOCK_DURATION[kind]).toSorted((a, b) => a - b)
    const began = performance.now()
    for (const [i, victim] of victims.entries()) {
      await sleep(Math.max(0, (moments[i] ?? 0) - (performance.now() - began)))
      victim.killedAt = Date.now()
      victim.kill()
    }
    while ((await queue.getCompletedCount()) < HELD * VICTIMS) await sleep(50)
    const waits = victims.map(async ({ ids, killedAt }) => {
      const jobs = await Promise.all(ids.map(id => queue.getJob(id)))
      return jobs.map(job => (job?.processedOn ?? 0) - killedAt)
    })
    return (await Promise.all(waits)).flat().toSorted((a, b) => a - b)
  } finally {
    for (const kill of survivors) kill()
    await queue.close()
    client.disconnect()
  }
}

/** Returns how to kill it. */
async function start(
  kind: 'bare' | 'fleet',
  queue: string,
  concurrency: number,
  redis: TestRedis,
): Promise<() => void> {
  if (kind === 'bare') {
    const { child } = await startSubject('bare', queue, concurrency, Infinity, redis.url)
    return () => void child.kill('SIGKILL')
  }
  const jobs = new URL('./jobs', import.meta.url).pathname
  const args = ['--queue', `${queue}:${concurrency}`]
  const replica = await Replica.start({ redis, jobs, args, logLevel: 'info' })
  return () => replica.kill('SIGKILL')
}

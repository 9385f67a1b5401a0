/**
 * Locks on a host without CPU: a replica with default settings holds jobs for a minute, while its own executors spin and
 * eight other processes do nothing else. How late renewals were, and how many jobs were thought to be stalled.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { measurementsOf } from '../src/fleet/measurements.ts'
import { Measured } from '../src/redis/measured.ts'
import { Replica } from '../test/helpers/replica.ts'
import type { TestRedis } from '../test/helpers/redis.ts'

const SPINNERS = 8
const HELD = 20
const MINUTE = 60_000

export interface Overload {
  held: number
  stalled: number
  /** Of a renewal, at most, in milliseconds. */
  late: number
}

export async function overload(redis: TestRedis): Promise<Overload> {
  await redis.flush()
  const client = redis.client()
  const queue = new Queue('overload', { connection: client })
  const jobs = new URL('./jobs', import.meta.url).pathname
  const start = () => {
    const args = ['--queue', `${queue.name}:${HELD}`]
    return Replica.start({ redis, jobs, args, logLevel: 'info' })
  }
  const spinners: ChildProcess[] = []
  try {
    // Each would take what the other loses.
    const replicas = await Promise.all([start(), start()])
    const held = await queue.addBulk(
      Array.from({ length: HELD }, () => ({ name: 'hold', data: { ms: MINUTE } })),
    )
    for (let i = 0; i < SPINNERS; i++)
      spinners.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
    const until = performance.now() + MINUTE
    while (performance.now() < until) {
      await queue.addBulk(Array.from({ length: 20 }, () => ({ name: 'spin', data: {} })))
      while ((await queue.getWaitingCount()) > 0) await sleep(100)
    }
    for (const spinner of spinners) spinner.kill('SIGKILL')
    while ((await queue.getActiveCount()) > 0) await sleep(100)
    // What was measured is written at the end.
    for (const replica of replicas) replica.kill('SIGTERM')
    await Promise.all(replicas.map(({ ended }) => ended))
    const after = await Promise.all(held.map(({ id }) => queue.getJob(id as string)))
    const { delay } = measurementsOf(await new Measured(client, 'bull').read(queue.name))
    const stalled = after.filter(job => job?.attemptsStarted !== 1).length
    return { held: HELD, stalled, late: delay.most }
  } finally {
    for (const spinner of spinners) spinner.kill('SIGKILL')
    await queue.close()
    client.disconnect()
  }
}

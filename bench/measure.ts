/** Runs one subject on one workload and returns its figures. */
import { once } from 'node:events'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { startSubject } from './subject-process.ts'

export type Kind = 'bare' | 'sandbox' | 'fleet'

export interface Workload {
  title: string
  job: 'noop' | 'spin'
  concurrency: number
  /** Jobs per run; the sandbox gets a share of them, its rate is all that counts. */
  jobs: number
  sandbox?: number
}

export interface Figures {
  /** Jobs per second. */
  rate: number
  /** CPU microseconds of the worker process per job. */
  cpu: number
  /** Bytes. */
  rss: number
}

const BULK = 1_000

export async function measure(
  kind: Kind,
  workload: Workload,
  redis: { url: string; client(): Redis },
): Promise<Figures> {
  const jobs = kind === 'sandbox' ? (workload.sandbox ?? workload.jobs) : workload.jobs
  const name = `bench-${kind}`
  const client = redis.client()
  await client.flushall()
  const queue = new Queue(name, { connection: client })
  const subject = await startSubject(kind, name, workload.concurrency, jobs, redis.url)
  try {
    // All jobs are in the queue before the first is taken: what is measured is the worker, not the producer.
    await queue.pause()
    for (let left = jobs; left > 0; left -= BULK) {
      const one = {
        name: workload.job,
        data: { to: 'ada@example.org', template: 'welcome' },
        opts: { removeOnComplete: true },
      }
      await queue.addBulk(Array.from({ length: Math.min(BULK, left) }, () => one))
    }
    await queue.resume()
    const { seconds, cpu, rss } = (await subject.says()) as {
      seconds: number
      cpu: number
      rss: number
    }
    if (subject.child.exitCode === null) await once(subject.child, 'exit')
    return { rate: jobs / seconds, cpu: (cpu / jobs) * 1e6, rss }
  } finally {
    subject.child.kill('SIGKILL')
    await queue.close()
    client.disconnect()
  }
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

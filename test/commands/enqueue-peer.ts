/** A project with jobs of every kind, and a look at what `runner enqueue` put into Redis. */
import { Queue } from 'bullmq'
import { project, type Project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { runner, type Ended } from '../helpers/runner.ts'

const FILES = {
  'jobs/send-email.ts': `
    import { job } from 'bullmq-runner'
    import { z } from 'zod'
    console.log('noise at import')
    export default job({
      queue: 'mail', description: 'Sends one mail', attempts: 5, backoff: '2s', priority: 3, removeOnFail: false,
      args: z.object({
        to: z.email().describe('who gets it'),
        retries: z.int().default(2).transform(String),
        id: z.string().optional(),
        tags: z.array(z.string()).default([]),
        urgent: z.boolean().default(false),
        address: z.object({ city: z.string() }).optional(),
      }),
      run() {},
    })`,
  'jobs/plain.mjs': 'export default async job => job.data',
  'jobs/broken.ts': `throw new Error('no database')`,
  'jobs/twin.ts': 'export default () => 1',
  'scripts/twin.mjs': 'export default () => 1',
  'scripts/reindex.sh': '#!/bin/sh\nexit 1',
}

export interface EnqueuePeer extends AsyncDisposable {
  redis: TestRedis
  dir: Project
  enqueue(args: string[], stdin?: string): Promise<Ended>
  jobsOf(queue: string): Promise<{ id: string | undefined; name: string; data: unknown; opts: object }[]>
  keys(): Promise<string[]>
}

export async function startPeer(): Promise<EnqueuePeer> {
  const redis = await startRedis()
  const dir = project(FILES)
  return {
    redis,
    dir,
    enqueue: (args, stdin) =>
      runner(['enqueue', ...args], {
        cwd: dir.dir,
        env: { REDIS_URL: redis.url },
        // With an empty one it would have to be a process of its own.
        ...(stdin !== undefined && { stdin }),
      }),
    async jobsOf(name) {
      const jobs = await new Queue(name, { connection: redis.client() }).getJobs()
      return jobs.map(({ id, name, data, opts }) => ({ id, name, data: data as unknown, opts }))
    },
    keys: () => redis.client().keys('*'),
    async [Symbol.asyncDispose]() {
      dir[Symbol.dispose]()
      await redis.stop()
    },
  }
}

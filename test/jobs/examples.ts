/** The examples of this repository, worked by real replicas and enqueued by the real command. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Job, Queue } from 'bullmq'
import { type TestRedis, startRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { type Ended, runner } from '../helpers/runner.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** So that what a dead replica held is found soon. */
const RECOVERY = ['--lock-duration', '2s', '--stalled-interval', '500ms']

/** Of `expect.poll`: a machine may be busy. */
export const PATIENT = { timeout: 60_000 }

export interface Examples extends AsyncDisposable {
  redis: TestRedis
  /** A temporary folder; the outbox is in it. */
  folder: string
  outbox: string
  replica(...args: string[]): Promise<Replica>
  /** SQLite file that migrations write to. */
  database: string
  /** The environment of all of them. */
  env: Record<string, string>
  /** `runner enqueue ...` */
  enqueue(...args: string[]): Promise<Ended>
  /** `runner ...` */
  runner(...args: string[]): Promise<Ended>
  queue(name: string): Queue
  job(queue: string, id: string): Promise<Job>
}

export async function examples(): Promise<Examples> {
  const redis = await startRedis()
  const folder = mkdtempSync(join(tmpdir(), 'examples-'))
  const outbox = join(folder, 'outbox')
  const database = join(folder, 'examples.db')
  const env = {
    OUTBOX: outbox,
    DATABASE_URL: `sqlite:${database}`,
    RUNNER_STORE: `dir:${join(folder, 'uploads')}`,
  }
  const command = (...args: string[]) => runner([...args, '--redis', redis.url], { cwd: ROOT, env })
  const replicas: Replica[] = []
  const queues = new Map<string, Queue>()
  const queue = (name: string) => {
    const known = queues.get(name) ?? new Queue(name, { connection: redis.client() })
    known.on('error', () => undefined)
    queues.set(name, known)
    return known
  }
  return {
    redis,
    folder,
    outbox,
    database,
    env,
    queue,
    async replica(...args) {
      const jobs = ['--jobs', join(ROOT, 'scripts'), ...RECOVERY, ...args]
      const options = { redis, jobs: join(ROOT, 'jobs'), args: jobs, cwd: ROOT, env }
      const replica = await Replica.start(options)
      replicas.push(replica)
      return replica
    },
    runner: command,
    enqueue: (...args) => command('enqueue', ...args),
    async job(name, id) {
      const job = await queue(name).getJob(id)
      if (job === undefined) throw new Error(`no job ${id} in queue ${name}`)
      return job
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(replicas.map(replica => replica[Symbol.asyncDispose]()))
      await Promise.all([...queues.values()].map(one => one.close()))
      await redis.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The replica in whose log a handler of this job wrote a line. */
export const holderOf = (job: string, replicas: Replica[]): Replica | undefined =>
  replicas.find(replica => replica.lines.some(line => line['job'] === job && line.event === undefined))

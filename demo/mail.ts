/** Other jobs of the same fleet: none of them may be lost when a replica is killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { JOBS, RUNNER } from './replica.ts'

export interface MailCount {
  completed: number
  failed: number
  /** Files in the outbox: one for each e-mail that was sent, however often it was tried. */
  sent: number
}

export class Mail {
  readonly #folder: string
  readonly #redis: Redis
  readonly #queue: Queue

  private constructor(folder: string) {
    this.#folder = folder
    this.#redis = new Redis({ path: join(folder, '.runner', 'redis.sock'), maxRetriesPerRequest: null })
    this.#queue = new Queue('mail', { connection: this.#redis })
  }

  /** As NDJSON on stdin, in one command. */
  static async enqueue(folder: string, count: number): Promise<Mail> {
    const child = spawn(process.execPath, [RUNNER, 'enqueue', 'send-email', '--data', '-', ...JOBS], {
      cwd: folder,
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    for (let i = 1; i <= count; i++) child.stdin.write(`${JSON.stringify({ to: `user${i}@new.example` })}\n`)
    child.stdin.end()
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`enqueue ended with ${code}`)
    return new Mail(folder)
  }

  async count(): Promise<MailCount> {
    const { completed = 0, failed = 0 } = await this.#queue.getJobCounts('completed', 'failed')
    const sent = readdirSync(join(this.#folder, 'outbox')).filter(name => name.endsWith('.json')).length
    return { completed, failed, sent }
  }

  /** Until nothing is left to do. */
  async finished(): Promise<void> {
    const left = async () =>
      Object.values(await this.#queue.getJobCounts('wait', 'active', 'delayed', 'prioritized')).some(
        count => count > 0,
      )
    while (await left()) await wait(50)
  }

  async close(): Promise<void> {
    await this.#queue.close()
    this.#redis.disconnect()
  }
}

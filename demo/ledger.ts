/** What Redis says of the jobs of the demo; and more jobs for it, added by a plain BullMQ producer. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { joinPrivateServer, type PrivateServer } from '../src/redis/embedded.ts'

export interface JobCount {
  /** The e-mails. */
  enqueued: number
  completed: number
  failed: number
  /** Started more than once. */
  restarted: number
  /** Files in the outbox: one for each e-mail that was sent, however often it was tried. */
  sent: number
}

export class Ledger implements AsyncDisposable {
  readonly #folder: string
  readonly #server: PrivateServer
  readonly #mail: Queue
  readonly #migrations: Queue
  #mails = 0

  private constructor(folder: string, server: PrivateServer) {
    this.#folder = folder
    this.#server = server
    const connection = { path: server.socket, maxRetriesPerRequest: null }
    this.#mail = new Queue('mail', { connection })
    this.#migrations = new Queue('migrations', { connection })
  }

  /** Of the private server of this folder, which it starts. */
  static async open(folder: string): Promise<Ledger> {
    return new Ledger(folder, await joinPrivateServer(folder))
  }

  async addMails(count: number): Promise<void> {
    const to = (i: number) => ({ to: `user${i}@new.example`, template: 'your-domain-moved' })
    await this.#mail.addBulk(
      Array.from({ length: count }, (_, i) => ({ name: 'send-email', data: to(i + 1) })),
    )
    this.#mails += count
  }

  /** Nothing is left to do in either queue. */
  async untilFinished(): Promise<void> {
    const left = async () => {
      const counts = await Promise.all(
        [this.#mail, this.#migrations].map(queue => queue.getJobCounts('wait', 'active', 'delayed')),
      )
      return counts.flatMap(one => Object.values(one))
    }
    while ((await left()).some(count => count > 0)) await wait(50)
  }

  async count(): Promise<JobCount> {
    const jobs = await this.#mail.getJobs()
    const states = await Promise.all(jobs.map(job => job.getState()))
    const outbox = readdirSync(join(this.#folder, 'outbox'))
    return {
      enqueued: this.#mails,
      completed: states.filter(state => state === 'completed').length,
      failed: states.filter(state => state === 'failed').length,
      restarted: jobs.filter(job => job.attemptsStarted > 1).length,
      sent: outbox.filter(name => name.endsWith('.json')).length,
    }
  }

  /** Returns when the private server is gone, as it is a second after its last user. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#mail.close(), this.#migrations.close()])
    this.#server.leave()
    for (let looks = 0; existsSync(this.#server.socket) && looks < 60; looks++) await wait(50)
  }
}

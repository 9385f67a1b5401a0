/**
 * A Deployment of `runner work` processes: as many as are asked for, started and stopped as Kubernetes would. A pod that
 * was stopped leaves its process behind, quiet, for the next one: on a fast clock a real start would take minutes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import { Replica } from '../../test/helpers/replica.ts'

const JOBS = fileURLToPath(new URL('./jobs', import.meta.url))

interface Pod {
  process: Process
  readyAt: number
  /** Ends its start. */
  timer: NodeJS.Timeout
}

interface Process {
  replica: Replica
  /** Of the replica, as BullMQ keeps it with each job. */
  id: string
}

export interface FleetOptions {
  redis: { url: string; client(): Redis }
  queue: string
  concurrency: number
  /** Processes. */
  most: number
  /** Milliseconds from the decision until a pod takes jobs. */
  startTime: number
}

export class Fleet implements AsyncDisposable {
  starts = 0
  /** Pods that were told to stop while they ran a job. */
  evictions = 0
  readonly #options: FleetOptions
  readonly #client: Redis
  readonly #idle: Process[]
  #pods: Pod[] = []

  private constructor(options: FleetOptions, idle: Process[]) {
    this.#options = options
    this.#client = options.redis.client()
    this.#idle = idle
  }

  static async open(options: FleetOptions): Promise<Fleet> {
    const { redis, queue, concurrency, most } = options
    const args = ['--queue', `${queue}:${concurrency}`, '--executors', '1', '--max-time', '2h']
    const open = async (): Promise<Process> => {
      const replica = new Replica({ redis, jobs: JOBS, args, logLevel: 'info' })
      const { replica: id } = await replica.event('fleet.started')
      replica.kill('SIGTSTP')
      await replica.event('fleet.quiet')
      return { replica, id: String(id) }
    }
    return new Fleet(options, await Promise.all(Array.from({ length: most }, open)))
  }

  /** Those that were not told to stop. */
  get size(): number {
    return this.#pods.length
  }

  /** No pod, and nothing counted. Resolves when none of them runs a job any more. */
  async reset(): Promise<void> {
    await this.scaleTo(0)
    while ((await this.#client.llen(`bull:${this.#options.queue}:active`)) > 0) await sleep(50)
    this.starts = 0
    this.evictions = 0
  }

  async scaleTo(replicas: number): Promise<void> {
    while (this.size < replicas) this.#start()
    while (this.size > replicas) await this.#stop()
  }

  #start(): void {
    const process = this.#idle.shift()
    if (process === undefined) throw new Error(`there are only ${this.#options.most} processes`)
    this.starts++
    const pod: Pod = {
      process,
      readyAt: Infinity,
      timer: setTimeout(() => {
        pod.readyAt = performance.now()
        process.replica.kill('SIGCONT')
      }, this.#options.startTime),
    }
    this.#pods.push(pod)
  }

  /** As a ReplicaSet chooses: who is not ready first, then who has been for the shortest time. */
  async #stop(): Promise<void> {
    const [victim] = this.#pods.toSorted((a, b) => (a.readyAt === b.readyAt ? 0 : b.readyAt - a.readyAt))
    if (victim === undefined) return
    this.#pods = this.#pods.filter(pod => pod !== victim)
    clearTimeout(victim.timer)
    const { process, readyAt } = victim
    if (readyAt < Infinity) {
      if (await this.#isBusy(process.id)) this.evictions++
      process.replica.kill('SIGTSTP')
    }
    this.#idle.push(process)
  }

  async #isBusy(id: string): Promise<boolean> {
    const base = `bull:${this.#options.queue}:`
    const active = await this.#client.lrange(`${base}active`, 0, -1)
    const holders = await Promise.all(active.map(job => this.#client.hget(base + job, 'pb')))
    return holders.includes(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#pods.map(({ process }) => process), ...this.#idle]
    await Promise.all(all.map(({ replica }) => replica[Symbol.asyncDispose]()))
    this.#client.disconnect()
  }
}

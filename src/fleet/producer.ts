/** Adds the jobs that handlers enqueue. Their payloads were checked in the executor and stay text here. */
import { Queue, type Job, type Telemetry } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import type { EnqueueOptions } from '../job/context.ts'
import { toJobsOptions } from '../job/enqueue-options.ts'
import type { JobEntry } from '../job/manifest.ts'
import { keepFiles } from '../redis/file-uses.ts'
import { Flows } from './flows.ts'
import { RawPayload, RawPayloadJob } from './raw-payload.ts'

class RawQueue extends Queue {
  protected override get Job(): typeof Job {
    return RawPayloadJob as typeof Job
  }
}

export interface ProducerOptions {
  connection: Redis | Cluster
  prefix: string
  telemetry: Telemetry | undefined
}

export class Producer {
  readonly flows: Flows
  readonly #connection: Redis | Cluster
  readonly #prefix: string
  readonly #telemetry: Telemetry | undefined
  readonly #queues = new Map<string, RawQueue>()
  readonly #onError: (queue: string, error: Error) => void

  /** `connect` makes a connection for flows, with the first of them. */
  constructor(
    { connection, prefix, telemetry }: ProducerOptions,
    onError: (queue: string, error: Error) => void,
    connect: () => Redis | Cluster,
  ) {
    this.flows = new Flows(connect, prefix, error => onError('', error))
    this.#connection = connection
    this.#prefix = prefix
    this.#telemetry = telemetry
    this.#onError = onError
  }

  /** Returns the job's id. */
  async add(entry: JobEntry, json: string, options: EnqueueOptions): Promise<string> {
    const queue = this.queue(options.queue ?? entry.queue)
    const stored = toJobsOptions(entry, options)
    const wanted = { json, queue: queue.name, id: stored.jobId }
    const jobId = await keepFiles(() => this.#connection, this.#prefix, wanted)
    if (jobId !== undefined) stored.jobId = jobId
    const job = await queue.add(entry.name, new RawPayload(json), stored)
    return job.id as string
  }

  queue(name: string): Queue {
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = new RawQueue(name, {
        connection: this.#connection,
        prefix: this.#prefix,
        ...(this.#telemetry === undefined ? {} : { telemetry: this.#telemetry }),
      })
      queue.on('error', error => this.#onError(name, error))
      this.#queues.set(name, queue)
    }
    return queue
  }

  /** When the first delayed job of a queue is due, in milliseconds since the epoch; Infinity: there is none. */
  async nextDelayed(name: string): Promise<number> {
    const [, score] = await this.#connection.zrange(this.queue(name).toKey('delayed'), '0', '0', 'WITHSCORES')
    // BullMQ counts the jobs of one millisecond in the bits below it.
    return score === undefined ? Infinity : Number(score) / 4_096
  }

  async close(): Promise<void> {
    await Promise.all([this.flows, ...this.#queues.values()].map(one => one.close()))
  }
}

/** `RunnerProducer`: adds jobs for the fleet, checked against their contract before they are in Redis. */
import { Inject, Injectable } from '@nestjs/common'
import type { Queue } from 'bullmq'
import type { z } from 'zod'
import { RunnerError } from '../errors.ts'
import { addJob } from '../enqueue/addition.ts'
import { checkArgs, payloadJson } from '../job/args.ts'
import type { EnqueueOptions } from '../job/context.ts'
import { isContract, readContract, type Contract } from '../job/contract.ts'
import { toJobsOptions } from '../job/enqueue-options.ts'
import { DEFAULT_QUEUE } from '../job/load.ts'
import { RunnerConnection, type Opened } from './connection.ts'

export interface Enqueued {
  id: string
  queue: string
  /** False: an earlier job has this id, or this deduplication id, and nothing was added. */
  added: boolean
}

export class RunnerProducer {
  readonly #connection: RunnerConnection
  #client: ReturnType<Opened['redis']['connect']> | undefined
  readonly #queues = new Map<string, Promise<Queue>>()

  constructor(connection: RunnerConnection) {
    this.#connection = connection
  }

  /**
   * Resolves once Redis has the job. Options that are left out are those of the contract.
   *
   * Rejects with ARGS_INVALID, which lists every field that the schema refuses, and with USAGE for an option that BullMQ
   * would not take: nothing is added then. As long as Redis has not answered once it rejects within 5 s; later an outage
   * is waited out, as BullMQ does.
   */
  enqueue<Schema extends z.ZodType>(
    contract: Contract<Schema>,
    args: z.input<Schema>,
    options?: EnqueueOptions,
  ): Promise<Enqueued>
  /** By its name alone: the payload is checked when the job runs, and the options are those of its handler then. */
  enqueue(name: string, args?: unknown, options?: EnqueueOptions): Promise<Enqueued>
  async enqueue(job: Contract | string, args: unknown = {}, options: EnqueueOptions = {}): Promise<Enqueued> {
    if (typeof job !== 'string' && !isContract(job))
      throw new RunnerError('USAGE', 'enqueue: expected a contract() or the name of a job', {
        hint: 'of a job file: contract({ queue, name, ...definition })',
      })
    const name = typeof job === 'string' ? job : job.name
    const stored = toJobsOptions(typeof job === 'string' ? {} : readContract(job), options)
    const opened = await this.#connection.open()
    const { redact } = opened.config
    const payload = JSON.parse(payloadJson(name, args, { redact })) as unknown
    // What is stored is what was given, as JSON has it: the schema is applied once more, before the run.
    await checkArgs(name, typeof job === 'string' ? undefined : job.args, payload, redact)
    const queue = options.queue ?? (typeof job === 'string' ? DEFAULT_QUEUE : job.queue)
    const { id, added } = await addJob(await this.#queueOf(queue, opened), name, payload, stored)
    return { id, queue, added }
  }

  #queueOf(name: string, opened: Opened): Promise<Queue> {
    const known = this.#queues.get(name)
    if (known !== undefined) return known
    const queue = this.#openQueue(name, opened)
    this.#queues.set(name, queue)
    return queue
  }

  async #openQueue(name: string, { redis }: Opened): Promise<Queue> {
    const { Queue } = await import('bullmq')
    this.#client ??= redis.connect('producer')
    const queue = new Queue(name, { connection: this.#client, prefix: redis.prefix })
    // Of the connection, which reconnects by itself; without a listener they would end the application.
    queue.on('error', () => undefined)
    return queue
  }
}

Injectable()(RunnerProducer)
Inject(RunnerConnection)(RunnerProducer, undefined, 0)

/**
 * The job schedulers of BullMQ under one prefix: what Redis has of them, and the three ways to change that.
 *
 * One that is made here says so in the options of its jobs, `runner: { owner }`. BullMQ stores these in the scheduler's
 * own hash, in the script that makes it: the mark comes and goes with the scheduler, whoever removes it or makes another
 * of that id, and nothing is left that would have to be kept in step.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { ErrorCode, Queue, type JobSchedulerJson, type JobsOptions } from 'bullmq'
import { RunnerError, messageOf } from '../errors.ts'
import type { Client } from '../redis/client.ts'
import type { Declared } from './declared.ts'

/** A scheduler as Redis has it. */
export interface Scheduler {
  id: string
  job: string
  queue: string
  cron?: string
  timezone?: string
  /** Milliseconds. */
  every?: number
  /** How often at most; by others. */
  limit?: number
  /** In ms since the epoch; by others. */
  startDate?: number
  endDate?: number
  args: unknown
  /** Of its jobs, without the mark. */
  options: Record<string, unknown>
  /** Who made it; absent: not this program. */
  owner?: string
  /** When its next job is due, in ms since the epoch. */
  next: number
  /** Of that job. A scheduler goes on when a worker takes it: with one that is not to be had any more it has ended. */
  nextJob: 'waits' | 'taken' | 'lost'
  /** The queue is. */
  paused: boolean
  /** Jobs that it has made, the next one included. */
  made: number
}

type Listed = Omit<Scheduler, 'nextJob' | 'paused'>

/** What BullMQ says when it will not put a job in the place of another of the same time. */
const TAKEN = new Set<ErrorCode>([ErrorCode.SchedulerJobIdCollision, ErrorCode.SchedulerJobSlotsBusy])
/** Milliseconds: the clocks of workers may be ahead of ours by so much. */
const PATIENCE = 1_000
const RETRY = 20

/** States from which no worker will take it. */
const GONE = new Set(['completed', 'failed', 'unknown'])

export class Schedulers {
  readonly #client: Client
  readonly #prefix: string
  readonly #queues = new Map<string, Queue>()

  constructor(client: Client, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  /**
   * Sorted by id. What cannot be read as a scheduler (a repeatable job of BullMQ 5 and before) is left out, and `tell`
   * gets a line of it.
   */
  async list(queues: Iterable<string>, tell: (line: string) => void = () => {}): Promise<Scheduler[]> {
    const found = await Promise.all([...new Set(queues)].map(queue => this.#listOf(queue, tell)))
    return found.flat().sort((a, b) => (a.id === b.id ? compare(a.queue, b.queue) : compare(a.id, b.id)))
  }

  /**
   * Makes it, or makes it another one. BullMQ takes away its next job, unless a worker has it, and adds the new one, which
   * for a pattern is a later one: a run that is due and still waits would be lost, so that it is added anew as well.
   * Throws SCHEDULE_TAKEN where a job of the next time is there already, and is not one that waits.
   */
  async upsert(declared: Declared, owner: string): Promise<void> {
    for (const deadline = Date.now() + PATIENCE; ; await delay(RETRY)) {
      try {
        return await this.#upsertOnce(declared, owner)
      } catch (error) {
        if (!TAKEN.has((error as { code?: unknown }).code as ErrorCode)) throw error
        // A worker has just taken the job of that time: in a moment the next time is another.
        if (Date.now() >= deadline) throw taken(declared, error)
      }
    }
  }

  async #upsertOnce(
    { id, queue, job, cron, timezone, every, args, options }: Declared,
    owner: string,
  ): Promise<void> {
    const repeat = {
      ...(cron === undefined ? {} : { pattern: cron }),
      ...(timezone === undefined ? {} : { tz: timezone }),
      ...(every === undefined ? {} : { every }),
      ...(cron !== undefined && (await this.#isDue(queue, id)) ? { immediately: true } : {}),
    }
    const opts = { ...options, runner: { owner } } as JobsOptions
    await this.#queue(queue).upsertJobScheduler(id, repeat, { name: job, data: args, opts })
  }

  async #isDue(queue: string, id: string): Promise<boolean> {
    const scheduler = await this.#read(this.#queue(queue), id)
    return scheduler?.nextJob === 'waits' && scheduler.next <= Date.now()
  }

  /** False when it was not there. */
  remove(queue: string, id: string): Promise<boolean> {
    return this.#queue(queue).removeJobScheduler(id)
  }

  /** Adds such a job, now, beside the schedule. Returns its id. */
  async runNow({
    queue,
    job,
    args,
    options,
  }: Pick<Scheduler, 'queue' | 'job' | 'args' | 'options'>): Promise<string> {
    const added = await this.#queue(queue).add(job, args, options)
    return added.id as string
  }

  async #listOf(name: string, tell: (line: string) => void): Promise<Scheduler[]> {
    const queue = this.#queue(name)
    // Not getJobSchedulers(): that removes what it cannot read.
    const ids = await this.#client.zrange(queue.toKey('repeat'), '0', '-1')
    if (ids.length === 0) return []
    const paused = await queue.isPaused()
    const read = async (id: string) => {
      try {
        return await this.#read(queue, id)
      } catch (error) {
        tell(`queue ${name}: ${messageOf(error)}`)
        return undefined
      }
    }
    const all = await Promise.all(ids.map(read))
    return all.flatMap(one => (one === undefined ? [] : [{ ...one, paused }]))
  }

  /** undefined: it was removed meanwhile. */
  async #read(queue: Queue, id: string): Promise<Omit<Scheduler, 'paused'> | undefined> {
    for (;;) {
      const json = await queue.getJobScheduler(id)
      // BullMQ's type has no null, with which Redis says that there is none.
      if (json === undefined || typeof json.next !== 'number') return undefined
      const scheduler = fromJson(queue.name, { ...json, key: id, next: json.next })
      const state = await queue.getJobState(`repeat:${id}:${scheduler.next}`)
      if (state === 'active') return { ...scheduler, nextJob: 'taken' }
      if (!GONE.has(state)) return { ...scheduler, nextJob: 'waits' }
      // A worker took it between our two looks, if by now the next one is another.
      const again = await queue.getJobScheduler(id)
      if (again?.next === scheduler.next) return { ...scheduler, nextJob: 'lost' }
    }
  }

  #queue(name: string): Queue {
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      // To look at a queue is not to make it.
      queue = new Queue(name, { connection: this.#client, prefix: this.#prefix, skipMetasUpdate: true })
      queue.on('error', () => {})
      this.#queues.set(name, queue)
    }
    return queue
  }
}

function taken({ id, queue }: Declared, cause: unknown): RunnerError {
  return new RunnerError(
    'SCHEDULE_TAKEN',
    `schedule ${id}: queue ${queue} keeps a job of its next time already, run early or left by an older schedule`,
    {
      hint: `apply again once that time is over, or remove the job: its id begins with repeat:${id}:`,
      cause,
    },
  )
}

function fromJson(queue: string, json: JobSchedulerJson & { next: number }): Listed {
  const { runner, ...options } = (json.template?.opts ?? {}) as Record<string, unknown>
  const owner = (runner as { owner?: unknown } | undefined)?.owner
  return {
    id: json.key,
    job: json.name,
    queue,
    ...(json.pattern === undefined ? {} : { cron: json.pattern }),
    ...(json.tz === undefined ? {} : { timezone: json.tz }),
    ...(json.every === undefined ? {} : { every: json.every }),
    ...(json.limit === undefined ? {} : { limit: json.limit }),
    ...(json.startDate === undefined ? {} : { startDate: json.startDate }),
    ...(json.endDate === undefined ? {} : { endDate: json.endDate }),
    // BullMQ stores no `{}`.
    args: json.template?.data === undefined ? {} : (json.template.data as unknown),
    options,
    ...(typeof owner === 'string' ? { owner } : {}),
    next: json.next,
    made: json.iterationCount ?? 0,
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

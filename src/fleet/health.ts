/**
 * Whether this replica is well, for probes: looked at every few seconds on a connection of its own, and kept, so that a
 * probe is answered from memory whatever Redis and the executors do.
 *
 * Alive is every verdict but `wedged`. An outage of Redis is none of the replica's faults: to restart the fleet for it
 * would cost every job that runs. A worker that fetches nothing although it should is replaced by another first, at
 * three quarters of the bound (queue-workers.ts); the verdict falls when that did not help either.
 *
 * Not seen here: a supervisor whose own loop is stuck. It answers no probe at all.
 */
import { messageOf } from '../errors.ts'
import type { Config } from '../config.ts'
import type { Events } from '../observe/events.ts'
import { readBacklog, type Backlog } from '../redis/backlog.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { redisErrorKind } from '../redis/redis-error.ts'
import type { FleetWorker } from './fleet-worker.ts'
import type { Stopping } from './stopping.ts'
import type { Supervisor } from './supervisor.ts'
import { judge, shouldFetch, type Judgement, type QueueFacts } from './verdict.ts'

/** Milliseconds between two looks; also how often Redis is asked. */
const LOOK_EVERY = 3_000
/** Milliseconds for which a refusal counts as present: fetches that are refused follow each other every 2 s. */
const PRESENT = 2 * LOOK_EVERY
/** Errors with which nobody has answered. */
const SILENCE: readonly unknown[] = ['connection', 'timeout', 'clusterdown']
/** Milliseconds after which Redis counts as silent. */
const ANSWER = 5_000
/** Milliseconds: the least that the bound is by itself, and how many lock durations it is. */
const BOUND = { least: 60_000, locks: 2 }
/** Of the bound: the worker is replaced. */
const MEND_AT = 0.75

export interface HealthOptions {
  config: Config
  supervisor: Supervisor
  stopping: Stopping
  redis: RedisHandle
  events: Events
}

/** Of one queue, from one look to the next. */
interface Watched {
  worker: FleetWorker
  turns: number
  stuck: number
  mendAt: number
}

export class Health implements AsyncDisposable {
  readonly #options: HealthOptions
  readonly #client: ReturnType<RedisHandle['connect']>
  readonly #watched = new Map<string, Watched>()
  readonly #timer: NodeJS.Timeout
  #judged: Judgement = { verdict: 'idle', why: '' }
  #told = 'starting'
  #started = false
  #looking = false
  #isOver = false
  #lastLook = performance.now()
  /** Since when it does not answer. */
  #silentSince: number | undefined
  /** What it answers instead. */
  #refusal: string | undefined

  /** Begins to look. Redis has answered before: `redis` is open. */
  constructor(options: HealthOptions) {
    this.#options = options
    this.#client = options.redis.connect('health')
    options.events.on('fleet.started', () => (this.#started = true))
    this.#timer = setInterval(() => void this.#tick(), LOOK_EVERY)
    this.#timer.unref()
  }

  /** Handlers are loaded, Redis was seen, jobs are taken. */
  get started(): boolean {
    return this.#started
  }

  /** Of now, from memory. */
  get judgement(): Judgement {
    const { stopping, supervisor } = this.#options
    if (stopping.started) return { verdict: 'draining', why: 'told to stop' }
    if (!this.#started) return { verdict: 'starting', why: 'executors boot, or Redis is waited for' }
    if (supervisor.quiet || supervisor.exhausted) return { verdict: 'draining', why: 'takes no more jobs' }
    if (this.#silentSince !== undefined) {
      const seconds = Math.round((performance.now() - this.#silentSince) / 1_000)
      return { verdict: 'redis-down', why: `Redis has not answered for ${seconds} s` }
    }
    if (this.#refusal !== undefined) return { verdict: 'redis-down', why: `Redis refuses: ${this.#refusal}` }
    return this.#judged
  }

  [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#isOver = true
    return Promise.resolve()
  }

  async #tick(): Promise<void> {
    // One question at a time: what waits for an outage to end would be answered all at once.
    if (!this.#looking) {
      this.#looking = true
      await this.#look().finally(() => (this.#looking = false))
    }
    this.#tell()
  }

  async #look(): Promise<void> {
    const { workers } = this.#options.supervisor
    const asked = performance.now()
    // After a freeze of our own the timer is first: what came meanwhile is read before Redis is blamed.
    let reading: NodeJS.Immediate | undefined
    const silence = setTimeout(() => (reading = setImmediate(() => this.#onSilent(asked))), ANSWER)
    try {
      const backlogs = await this.#ask(workers.all.map(({ name }) => name))
      this.#refusal = undefined
      // Without time that nobody watched: this process was frozen, or Redis was away.
      const watched = Math.min(performance.now() - this.#lastLook, 2 * LOOK_EVERY)
      this.#lastLook = performance.now()
      const facts = workers.all.flatMap(worker => {
        const backlog = backlogs.get(worker.name)
        return backlog === undefined ? [] : [this.#factsOf(worker, backlog, watched)]
      })
      for (const one of facts) this.#mend(one)
      this.#judged = judge(facts, this.#bound)
      this.#onAnswer()
    } catch (error) {
      if (SILENCE.includes(redisErrorKind(error))) return this.#onSilent(asked)
      this.#refusal = messageOf(error)
      this.#onAnswer()
    } finally {
      clearTimeout(silence)
      clearImmediate(reading)
    }
  }

  async #ask(queues: readonly string[]): Promise<Map<string, Backlog>> {
    // Before there is a queue, the answer is what counts.
    if (queues.length === 0) await this.#client.ping()
    const { prefix } = this.#options.redis
    const asked = queues.map(async queue => [queue, await readBacklog(this.#client, prefix, queue)] as const)
    return new Map(await Promise.all(asked))
  }

  #factsOf(worker: FleetWorker, backlog: Backlog, watched: number): QueueFacts {
    const { name: queue, fetching, sleepsForRate } = worker
    const { workers } = this.#options.supervisor
    const before = this.#watched.get(queue)
    const turned = before?.worker === worker ? fetching.turns !== before.turns : fetching.turns > 0
    const isRefused = fetching.refusal !== undefined && performance.now() - fetching.refusedAt < PRESENT
    const facts: QueueFacts = {
      queue,
      backlog,
      slots: workers.concurrency[queue] ?? 0,
      held: workers.heldOf(queue),
      refusal: isRefused ? (redisErrorKind(fetching.refusal) ?? messageOf(fetching.refusal)) : undefined,
      sleepsForRate,
      stuck: 0,
    }
    const isStuck = !turned && this.#isTaking && this.#silentSince === undefined && shouldFetch(facts)
    if (isStuck && before !== undefined) facts.stuck = before.stuck + watched
    const mendAt = isStuck && before !== undefined ? before.mendAt : this.#bound * MEND_AT
    this.#watched.set(queue, { worker, turns: fetching.turns, stuck: facts.stuck, mendAt })
    return facts
  }

  /** Once in each bound: one that does not help does not help more often. */
  #mend({ queue, stuck, held, backlog }: QueueFacts): void {
    const watched = this.#watched.get(queue)
    if (watched === undefined || stuck < watched.mendAt) return
    watched.mendAt += this.#bound
    const ms = Math.round(stuck)
    this.#options.events.emit('worker.recreated', { queue, ms, waiting: backlog.waiting, running: held })
    this.#options.supervisor.workers.recreate(watched.worker)
  }

  get #isTaking(): boolean {
    const { stopping, supervisor } = this.#options
    return this.#started && !stopping.started && !supervisor.quiet && !supervisor.exhausted
  }

  /** Milliseconds. Locks may have grown since the start. */
  get #bound(): number {
    const { config, supervisor } = this.#options
    if (config.wedgedAfter !== undefined) return config.wedgedAfter
    const locks = Object.values(supervisor.workers.locks).map(({ lockDuration }) => lockDuration)
    return Math.max(BOUND.least, BOUND.locks * Math.max(0, ...locks))
  }

  #onSilent(since: number): void {
    // Closed with the connection: the last question has no answer.
    if (this.#silentSince !== undefined || this.#isOver) return
    this.#silentSince = since
    this.#options.events.emit('redis.silent', { ms: Math.round(performance.now() - since) })
    this.#tell()
  }

  #onAnswer(): void {
    if (this.#silentSince === undefined) return
    const ms = Math.round(performance.now() - this.#silentSince)
    this.#silentSince = undefined
    this.#options.events.emit('redis.answers', { ms })
  }

  #tell(): void {
    const { verdict, why, queue } = this.judgement
    if (verdict === this.#told) return
    const was = this.#told
    this.#told = verdict
    const told = { why, ...(queue === undefined ? {} : { queue }) }
    this.#options.events.emit('verdict.changed', { verdict, was, ...told })
    if (verdict === 'wedged') this.#options.events.emit('replica.wedged', told)
  }
}

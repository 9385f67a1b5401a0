/**
 * Replaces executors that have grown old: after so many jobs each, and one after the other while the replica holds more
 * memory than it may. The new one is ready before the old one takes no more, and the old one ends when it holds nothing,
 * so no job waits or is lost. Memory goes over the limit meanwhile: it is a limit for leaks, and not one the kernel's
 * comes after at once.
 *
 * When all are new and the memory is still too much, what leaks is not in them: the replica stops with exit code 12.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { EXIT, RunnerError, messageOf } from '../errors.ts'
import type { Events } from '../observe/events.ts'
import { formatMebibytes } from '../units.ts'
import type { Executor } from './executor.ts'
import { residentBytes } from './rss.ts'
import type { Stopping } from './stopping.ts'
import type { Supervisor } from './supervisor.ts'

/** Milliseconds between two looks at the memory; also what V8 gets to give back that of an executor that ended. */
const LOOK_EVERY = 1_000

export class Recycling {
  readonly #config: Config
  readonly #supervisor: Supervisor
  readonly #stopping: Stopping
  readonly #events: Events
  readonly #closed = new AbortController()
  #busy = false
  /** Executors up to this id were there when the memory became too much: each has one chance to be the cause. */
  #suspects: number | undefined

  constructor(config: Config, supervisor: Supervisor, stopping: Stopping, events: Events) {
    this.#config = config
    this.#supervisor = supervisor
    this.#stopping = stopping
    this.#events = events
    if (config.executorMaxJobs !== undefined) events.on('run.ended', () => void this.#replaceWorn())
  }

  /** Begins to watch the memory. Throws CONFIG_INVALID when the limit is less than the idle replica takes. */
  async start(): Promise<void> {
    const { maxRss, isolation } = this.#config
    if (maxRss === undefined) return
    if (isolation === 'process' && process.platform !== 'linux') {
      throw new RunnerError('CONFIG_INVALID', 'maxRss counts executors that are processes on Linux only', {
        hint: 'use executorMaxJobs, or isolation thread',
      })
    }
    const rss = await this.#rss()
    if (rss > maxRss) {
      throw new RunnerError(
        'CONFIG_INVALID',
        `maxRss is ${formatMebibytes(maxRss)}, and the replica holds ${formatMebibytes(rss)} before its first job`,
        { hint: 'give it more (--max-rss), or use fewer executors' },
      )
    }
    void this.#watch(maxRss)
  }

  close(): void {
    this.#closed.abort()
  }

  async #watch(maxRss: number): Promise<void> {
    const { signal } = this.#closed
    while (!signal.aborted && !this.#stopping.started) {
      await this.#look(maxRss).catch((error: unknown) =>
        this.#events.emit('worker.error', { queue: '', message: messageOf(error) }),
      )
      await sleep(LOOK_EVERY, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  async #look(maxRss: number): Promise<void> {
    const rss = await this.#rss()
    if (rss <= maxRss) {
      this.#suspects = undefined
      return
    }
    const { executors } = this.#supervisor.pool
    // All died, and their successors wait for a moment: nobody to be the cause.
    if (executors.length === 0) return
    const last = (this.#suspects ??= Math.max(...executors.map(({ id }) => id)))
    const old = executors.filter(({ id }) => id <= last).sort((a, b) => a.id - b.id)
    const reason = `the replica holds ${formatMebibytes(rss)}, more than ${formatMebibytes(maxRss)}`
    const [next] = old.filter(isInUse)
    if (next !== undefined) {
      // It keeps its memory until it has finished what it holds. A long job may not keep the next one from its turn.
      if (await this.#replace(next, reason))
        await Promise.race([next.over, sleep(this.#config.grace, undefined, { ref: false })])
    } else if (old.length === 0) {
      void this.#stopping.stop({
        reason: `recycled: ${reason}, with all executors new`,
        grace: this.#config.grace,
        code: EXIT.recycled,
      })
    }
  }

  async #replaceWorn(): Promise<void> {
    const most = this.#config.executorMaxJobs ?? Infinity
    for (;;) {
      const worn = this.#supervisor.pool.executors.find(one => one.served >= most && isInUse(one))
      if (worn === undefined || this.#stopping.started) return
      // Try again at the end of the next run, rather than at once, when the new one did not boot.
      if (!(await this.#replace(worn, `${worn.served} jobs`))) return
    }
  }

  /** One at a time: false when another is being replaced, or when it goes on. */
  async #replace(executor: Executor, reason: string): Promise<boolean> {
    if (this.#busy) return false
    this.#busy = true
    const { id, served } = executor
    const running = [...executor.runs.values()].map(({ job }) => `${job.name} ${job.id}`)
    this.#events.emit('executor.recycled', { executor: id, reason, served, running })
    try {
      return await this.#supervisor.pool.recycle(executor)
    } finally {
      this.#busy = false
    }
  }

  #rss(): Promise<number> {
    return residentBytes(this.#supervisor.pool.executors.flatMap(({ pid }) => pid ?? []))
  }
}

function isInUse({ state, retired }: Executor): boolean {
  return state === 'ready' && !retired
}

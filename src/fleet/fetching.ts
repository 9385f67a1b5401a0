/**
 * How a worker asks Redis for jobs, in three ways better than BullMQ's loop does by itself:
 *
 * - it is counted, so that the replica knows that it asks at all (health.ts);
 * - while Redis refuses (a replica after a failover, a full disk, a user without rights) it asks less and less often: the
 *   loop would ask some thousands of times a second;
 * - it never waits for ever on the connection that blocks. A worker whose blocking connection cannot be had asks by the
 *   other one, every few seconds.
 */
import type { RedisQueueBackend } from 'bullmq'
import { isRefusal } from '../redis/redis-error.ts'

/** Milliseconds between two tries while Redis refuses. */
const REFUSED = { first: 50, most: 2_000 }
/** Milliseconds that BullMQ may be late in giving up a fetch that blocks: it does after one second, by a new connection. */
const LATE = 3_000

type Wait = RedisQueueBackend['waitForJob']

/** The `attempt`-th wait, from 0, in milliseconds. Ends at once, without an error, when `over` is aborted. */
export function waitOutRefusal(attempt: number, over: AbortSignal): Promise<void> {
  const ms = Math.min(REFUSED.most, REFUSED.first * 2 ** Math.min(attempt, 10))
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = () => {
    clearTimeout(timer)
    over.removeEventListener('abort', end)
    resolve()
  }
  const timer = setTimeout(end, ms)
  if (over.aborted) end()
  else over.addEventListener('abort', end)
  return promise
}

export class Fetching {
  /** Fetches that Redis has answered: with a job, without one, by refusing. A worker that is well has one in ten seconds. */
  turns = 0
  /** What the last of them was refused with, or another command of the worker since. */
  refusal: unknown
  /** When, by `performance.now()`. */
  refusedAt = -Infinity
  /** It asks for no more jobs: BullMQ's loop, when it is paused while it waits for one, takes that one all the same. */
  retired = false
  #refusals = 0
  readonly #over: AbortSignal

  /** `backend` is that of a worker: its fetches are replaced. `over`: it is about to be closed. */
  constructor(backend: RedisQueueBackend, over: AbortSignal) {
    this.#over = over
    const take = backend.moveToActive.bind(backend)
    backend.moveToActive = async (...args) => {
      if (this.retired) return []
      try {
        const next = await take(...args)
        this.turns++
        this.refusal = undefined
        this.#refusals = 0
        return next
      } catch (error) {
        await this.#onError(error)
        throw error
      }
    }
    backend.waitForJob = this.#bounded(backend.waitForJob.bind(backend))
  }

  /** By whatever command: with all slots taken nothing is fetched, and the ends of jobs meet it. */
  onRefused(error: unknown): void {
    this.refusal = error
    this.refusedAt = performance.now()
  }

  async #onError(error: unknown): Promise<void> {
    if (!isRefusal(error)) return
    this.turns++
    this.onRefused(error)
    await waitOutRefusal(this.#refusals++, this.#over)
  }

  #bounded(wait: Wait): Wait {
    let waiting: ReturnType<Wait> | undefined
    return async seconds => {
      // What came of it after it was given up is for the next one who waits.
      waiting ??= wait(seconds)
      waiting.catch(() => undefined)
      const deadline = Promise.withResolvers<'late'>()
      const timer = setTimeout(() => deadline.resolve('late'), seconds * 1_000 + LATE)
      try {
        const found = await Promise.race([waiting, deadline.promise])
        // As when nothing came: the worker asks once.
        if (found === 'late') return null
        waiting = undefined
        return found
      } catch (error) {
        waiting = undefined
        await this.#onError(error)
        throw error
      } finally {
        clearTimeout(timer)
      }
    }
  }
}

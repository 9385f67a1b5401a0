/**
 * A producer that adds one job after another while the platform under it fails, and knows which of them Redis took:
 * what was *acknowledged* has to end, in one state and one only. A job whose answer was lost is added again by its id.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobsOptions, Queue } from 'bullmq'
import { expect } from 'vitest'
import type { Client } from '../../src/redis/client.ts'
import type { Act } from '../fixtures/actions.ts'

export interface Acknowledged {
  id: string
  /** Milliseconds since the epoch: when it was handed to Redis, and when Redis said that it has it. */
  sentAt: number
  at: number
}

export interface LoadOptions {
  /** What the n-th job does. */
  act: (n: number) => Act
  options?: JobsOptions
  /** Its jobs are called after it. Default: the queue. */
  name?: string
  /** Milliseconds between two jobs. */
  pause: number
  /** Before a job counts as acknowledged: false sends it again. */
  confirm?: () => Promise<boolean>
}

export class Load {
  readonly acknowledged: Acknowledged[] = []
  /** What Redis said to jobs that it did not take. */
  readonly refused: Error[] = []
  readonly #queue: Queue
  readonly #done: Promise<void>
  #stopped = false

  constructor(queue: Queue, options: LoadOptions) {
    this.#queue = queue
    this.#done = this.#run(options)
  }

  get ids(): string[] {
    return this.acknowledged.map(({ id }) => id)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#done
  }

  /** So many more than now. */
  async untilAcknowledged(more: number, timeout = 120_000): Promise<void> {
    const goal = this.acknowledged.length + more
    await expect
      .poll(() => this.acknowledged.length, { timeout, interval: 20, message: `${more} jobs acknowledged` })
      .toBeGreaterThanOrEqual(goal)
  }

  async #run({ act, options, name = this.#queue.name, pause, confirm }: LoadOptions): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const id = `${name}-${n}`
      const sentAt = Date.now()
      try {
        await this.#queue.add('act', act(n), { ...options, jobId: id })
        if ((await confirm?.()) ?? true) this.acknowledged.push({ id, sentAt, at: Date.now() })
        else n--
      } catch (error) {
        this.refused.push(error as Error)
      }
      await sleep(pause)
    }
  }
}

/** Where each job of a queue lies: a list, since one that lies in two places is what a fault may leave behind. */
async function placesOf(client: Client, queue: Queue): Promise<Map<string, string[]>> {
  const places = new Map<string, string[]>()
  const put = (state: string, ids: string[]) => {
    for (const id of ids) places.set(id, [...(places.get(id) ?? []), state])
  }
  for (const state of ['wait', 'active']) put(state, await client.lrange(queue.toKey(state), 0, -1))
  for (const state of ['completed', 'failed', 'delayed', 'prioritized', 'waiting-children'])
    put(state, await client.zrange(queue.toKey(state), '0', '-1'))
  return places
}

/** Waits until nothing is left to do. */
export async function untilDrained(queue: Queue, timeout = 120_000): Promise<void> {
  const left = async () => {
    const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'prioritized')
    return Object.values(counts).reduce((sum, count) => sum + count, 0)
  }
  await expect.poll(left, { timeout, interval: 100, message: `${queue.name} to be drained` }).toBe(0)
}

/** Those of `jobs` that Redis knows nothing of. Fails when one of the others is not completed, or more than that. */
export async function lostOf<T extends { id: string }>(
  client: Client,
  queue: Queue,
  jobs: readonly T[],
): Promise<T[]> {
  const places = await placesOf(client, queue)
  const odd = jobs.filter(({ id }) => places.has(id) && places.get(id)?.join() !== 'completed')
  expect(
    odd.map(({ id }) => `${id}: ${places.get(id)?.join(' and ')}`),
    'jobs that are not completed, and nothing else',
  ).toEqual([])
  return jobs.filter(({ id }) => !places.has(id))
}

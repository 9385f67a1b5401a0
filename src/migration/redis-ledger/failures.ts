/** Rows that a run has stepped over, and what its batches emitted, in Redis: kept by the script that moves the cursor. */
import type { Transaction } from '../database.ts'
import { failureOf, type Failures, type RowFailure } from '../failure-ledger.ts'
import type { Cursor } from '../source.ts'
import type { Space } from './space.ts'
import { queue } from './transaction.ts'

interface Kept extends Omit<RowFailure, 'key'> {
  state: 'open' | 'retry' | 'done'
}

export class RedisFailures implements Failures {
  readonly #space: Space

  constructor(space: Space) {
    this.#space = space
  }

  async add(tx: Transaction, run: string, key: Cursor, error: unknown): Promise<void> {
    const field = JSON.stringify(key)
    const { message, code } = failureOf(error)
    const before = await this.#space.redis.hget(this.#space.failures(run), field)
    const attempts = before === null ? 0 : (JSON.parse(before) as Kept).attempts
    const kept: Kept = {
      error: message,
      code,
      attempts: attempts + 1,
      state: 'open',
      at: Date.now(),
    }
    queue(tx, ['HSET', this.#space.failures(run), field, JSON.stringify(kept)])
  }

  async count(run: string): Promise<number> {
    return (await this.list(run)).length
  }

  async list(run: string): Promise<RowFailure[]> {
    const open = (await this.#all(run)).filter(([, { state }]) => state === 'open')
    return open
      .map(([key, { error, code, attempts, at }]) => ({
        key: JSON.parse(key) as Cursor,
        error,
        code,
        attempts,
        at,
      }))
      .toSorted((a, b) => a.at - b.at)
  }

  async markForRetry(run: string, code: string | undefined): Promise<number> {
    const marked = (await this.#all(run)).filter(
      ([, kept]) => kept.state === 'open' && (code === undefined || kept.code === code),
    )
    for (const [key, kept] of marked) await this.#put(run, key, { ...kept, state: 'retry' })
    return marked.length
  }

  async nextRetry(run: string): Promise<Cursor | undefined> {
    const next = (await this.#all(run)).find(([, { state }]) => state === 'retry')
    return next === undefined ? undefined : (JSON.parse(next[0]) as Cursor)
  }

  async retried(_tx: Transaction, run: string, key: Cursor): Promise<boolean> {
    const field = JSON.stringify(key)
    const before = await this.#space.redis.hget(this.#space.failures(run), field)
    const kept = before === null ? undefined : (JSON.parse(before) as Kept)
    if (kept?.state !== 'retry') return false
    await this.#put(run, field, { ...kept, attempts: kept.attempts + 1, state: 'done' })
    return true
  }

  async emit(tx: Transaction, run: string, _shard: number, values: readonly unknown[]): Promise<void> {
    for (const value of values) queue(tx, ['RPUSH', this.#space.outputs(run), JSON.stringify(value)])
  }

  async outputs(run: string): Promise<unknown[]> {
    const values = await this.#space.redis.lrange(this.#space.outputs(run), 0, -1)
    return values.map(value => JSON.parse(value) as unknown)
  }

  async #all(run: string): Promise<[string, Kept][]> {
    const all = await this.#space.redis.hgetall(this.#space.failures(run))
    return Object.entries(all).map(([key, kept]) => [key, JSON.parse(kept) as Kept])
  }

  async #put(run: string, field: string, kept: Kept): Promise<void> {
    await this.#space.redis.hset(this.#space.failures(run), field, JSON.stringify(kept))
  }
}

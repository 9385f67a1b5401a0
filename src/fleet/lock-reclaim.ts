/**
 * A lock that ran out is no reason to throw a run away. When a renewal or the move of a finished job finds it gone, it
 * is taken back, unless somebody has started the job since (redis/fence.ts), and the move is made then. BullMQ discards
 * the result and runs the job again, also when nobody has begun to.
 *
 * What cannot be taken back is superseded: its lock is let go of, `onSuperseded` is told once, and its moves reject.
 */
import type { RedisQueueBackend } from 'bullmq'
import { SupersededError } from '../errors.ts'
import type { Fence } from '../redis/fence.ts'
import type { FleetJob } from './fleet-job.ts'
import type { FleetLocks } from './fleet-locks.ts'

/** Commands that end a run's hold on its job; the id is their first argument. */
const MOVES = [
  'moveToFinished',
  'retryJob',
  'moveToDelayed',
  'moveToWaitingChildren',
  'moveJobFromActiveToWait',
] as const

/** Of BullMQ: no lock, not in `active`, somebody else's lock. */
const LOCK_LOST = new Set([-2, -3, -6])

export type OnSuperseded = (job: FleetJob, error: SupersededError) => void

type Move = (id: string, ...rest: unknown[]) => Promise<unknown>

export class LockReclaim {
  readonly #locks: FleetLocks
  readonly #fence: Fence
  readonly #onSuperseded: OnSuperseded

  /** `backend` is that of the worker of these locks: its commands are replaced. */
  constructor(backend: RedisQueueBackend, locks: FleetLocks, fence: Fence, onSuperseded: OnSuperseded) {
    this.#locks = locks
    this.#fence = fence
    this.#onSuperseded = onSuperseded
    const extend = backend.extendLocks.bind(backend)
    backend.extendLocks = async (ids, tokens, ms) => {
      const lost = await extend(ids, tokens, ms)
      await Promise.all(lost.map(id => this.#reclaim(id, ms)))
      // Each was taken back, or told.
      return []
    }
    const { lockDuration } = locks
    for (const name of MOVES) {
      const move = (backend[name] as Move).bind(backend)
      const guarded: Move = async (id, ...rest) => {
        const held = locks.heldBy(id)
        const moved = await this.#attempt(() => move(id, ...rest), id, lockDuration)
        // It may wait in its queue now, where nobody may take it back. (False: not moved, no child is pending.)
        if (held !== undefined && moved !== false) locks.release(id, held.hold.token)
        return moved
      }
      Object.assign(backend, { [name]: guarded })
    }
  }

  async #attempt(move: () => Promise<unknown>, id: string, ms: number): Promise<unknown> {
    try {
      return await move()
    } catch (error) {
      if (!LOCK_LOST.has((error as { code?: number }).code ?? 0)) throw error
      const refused = await this.#reclaim(id, ms)
      if (refused !== undefined) throw refused
      return move()
    }
  }

  /** Resolves with why it could not be had. */
  async #reclaim(id: string, ms: number): Promise<SupersededError | undefined> {
    const held = this.#locks.heldBy(id)
    // Moved in the meantime, or told before.
    if (held === undefined) return new SupersededError(`job ${id} is not this run's any more`)
    try {
      await this.#fence.reclaim(held.hold, ms)
      return undefined
    } catch (error) {
      if (!(error instanceof SupersededError)) throw error
      this.#locks.release(id, held.hold.token)
      this.#onSuperseded(held.job, error)
      return error
    }
  }
}

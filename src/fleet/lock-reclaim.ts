/**
 * A lock that ran out is no reason to throw a run away. When a renewal or the move of a finished job finds it gone, it
 * is taken back, unless somebody has started the job since (redis/fence.ts), and the move is made then. BullMQ discards
 * the result and runs the job again, also when nobody has begun to.
 *
 * What cannot be taken back is superseded: its lock is let go of, `onSuperseded` is told once, and its moves reject.
 * A move that was made already, because a connection broke before its answer came and it was sent again, is made.
 */
import type { RedisQueueBackend } from 'bullmq'
import { SupersededError } from '../errors.ts'
import type { Fence } from '../redis/fence.ts'
import { isRefusal, redisErrorKind } from '../redis/redis-error.ts'
import { waitOutRefusal } from './fetching.ts'
import type { FleetJob } from './fleet-job.ts'
import type { FleetLocks, Held } from './fleet-locks.ts'

/**
 * Commands that end a run's hold on its job; the id is their first argument. Each with what it answers when it was made
 * already: no next job came with it, children are pending, no rate limit is to be waited for.
 */
const MOVES = {
  moveToFinished: [],
  retryJob: undefined,
  moveToDelayed: undefined,
  moveToWaitingChildren: true,
  moveJobFromActiveToWait: 0,
} as const

/** Of BullMQ: no lock, not in `active`, somebody else's lock. */
const LOCK_LOST = new Set([-2, -3, -6])

/** Times that a move is tried which its user may not make, about a minute: it may be of this job alone, and stay so. */
const MOST_DENIED = 30

/** How long a move is tried that Redis refuses, but for want of rights: until the worker is about to be closed. */
export interface Patience {
  over: AbortSignal
  onRefusal: (error: unknown) => void
}

export interface LockReclaimEvents {
  onSuperseded: (job: FleetJob, error: SupersededError) => void
  /** Its lock was taken back. */
  onReclaimed: (job: FleetJob) => void
}

type Move = (id: string, ...rest: unknown[]) => Promise<unknown>

export class LockReclaim {
  /**
   * Errors of moves that the user of Redis may not make. They may be of one job: its parent is in a queue that the rights
   * do not cover.
   */
  readonly denied = new WeakSet<Error>()
  /** Moves that were denied, of each job whose run is not over. */
  readonly #denials = new WeakMap<FleetJob, number>()
  readonly #locks: FleetLocks
  readonly #fence: Fence
  readonly #events: LockReclaimEvents
  readonly #patience: Patience

  /** `backend` is that of the worker of these locks: its commands are replaced. */
  constructor(
    backend: RedisQueueBackend,
    locks: FleetLocks,
    fence: Fence,
    events: LockReclaimEvents,
    patience: Patience,
  ) {
    this.#patience = patience
    this.#locks = locks
    this.#fence = fence
    this.#events = events
    const extend = backend.extendLocks.bind(backend)
    backend.extendLocks = async (ids, tokens, ms) => {
      const lost = await extend(ids, tokens, ms)
      await Promise.all(lost.map(id => this.#renew(id, ms)))
      // Each was taken back, or told.
      return []
    }
    for (const [name, made] of Object.entries(MOVES) as [keyof typeof MOVES, unknown][]) {
      const move = (backend[name] as Move).bind(backend)
      // Hot path, for the first of them: nothing but the move until it fails.
      const guarded: Move = (id, ...rest) => {
        locks.leave(id, true)
        return move(id, ...rest).catch((error: unknown) =>
          this.#insist(id, error, () => move(id, ...rest), made),
        )
      }
      const released: Move = async (id, ...rest) => {
        const held = locks.heldBy(id)
        const moved = await guarded(id, ...rest)
        if (held === undefined) return moved
        // Not moved: no child is pending.
        if (moved === false) locks.leave(id, false)
        else locks.release(id, held.hold.token)
        return moved
      }
      // The worker lets go of a finished job by itself.
      Object.assign(backend, { [name]: name === 'moveToFinished' ? guarded : released })
    }
  }

  /** After `error`: it is moved all the same where that is right, also when Redis takes no writes for a while. */
  async #insist(id: string, error: unknown, move: () => Promise<unknown>, made: unknown): Promise<unknown> {
    const { over, onRefusal } = this.#patience
    let last = error
    let reclaimed = false
    for (let refusals = 0; ;) {
      try {
        // The run is done: to give up now would be to run it again.
        if (isRefusal(last) && !over.aborted && !this.#isHopeless(id, last)) {
          onRefusal(last)
          await waitOutRefusal(refusals++, over)
          reclaimed = false
        } else if (reclaimed) throw last
        else if (await this.#canMove(id, this.#locks.lockDuration, last)) reclaimed = true
        else return made
        return await move()
      } catch (next) {
        if (next === last) throw next
        last = next
      }
    }
  }

  /** Counted over all moves of a run: BullMQ tries to fail what it could not complete. */
  #isHopeless(id: string, error: unknown): boolean {
    if (redisErrorKind(error) !== 'noperm') return false
    this.denied.add(error as Error)
    const job = this.#locks.heldBy(id)?.job
    if (job === undefined) return true
    const denials = (this.#denials.get(job) ?? 0) + 1
    this.#denials.set(job, denials)
    return denials > MOST_DENIED
  }

  /** After `error`: whether to move it once more; false when it was moved already. Rejects when it is not ours to move. */
  async #canMove(id: string, ms: number, error: unknown): Promise<boolean> {
    if (!LOCK_LOST.has((error as { code?: number }).code ?? 0)) throw error
    const held = this.#locks.heldBy(id)
    // Told before, or moved by the handler itself.
    if (held === undefined) throw new SupersededError(`job ${id} is not this run's any more`)
    return this.#reclaim(held, ms)
  }

  async #renew(id: string, ms: number): Promise<void> {
    const held = this.#locks.heldBy(id)
    // Moved in the meantime, or about to be: it may wait in its queue by now, where nobody may take it back.
    if (held === undefined || held.job.leaving) return
    try {
      if (await this.#reclaim(held, ms)) return
      this.#supersede(held, new SupersededError(`job ${id} was moved while it ran`))
    } catch (error) {
      if (!(error instanceof SupersededError)) throw error
    }
  }

  async #reclaim(held: Held, ms: number): Promise<boolean> {
    try {
      const reclaimed = await this.#fence.reclaim(held.hold, ms)
      if (reclaimed) this.#events.onReclaimed(held.job)
      return reclaimed
    } catch (error) {
      if (error instanceof SupersededError) this.#supersede(held, error)
      throw error
    }
  }

  #supersede({ job, hold }: Held, error: SupersededError): void {
    // It ended while a renewal was on its way: the lock was gone because the job was finished.
    if (this.#locks.heldBy(hold.id)?.hold.token !== hold.token) return
    this.#locks.release(hold.id, hold.token)
    this.#events.onSuperseded(job, error)
  }
}

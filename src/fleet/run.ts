/** One start of one job, seen from the supervisor: from the moment its lock is ours until it is settled. */
import { Deadline } from './deadline.ts'
import type { AbortCause, Failure } from './protocol.ts'
import type { Hold } from '../redis/fence.ts'
import type { FleetJob } from './fleet-job.ts'
import type { JobEntry } from '../job/manifest.ts'

/** Where a run may be: among others, alone in an executor, or alone in one that is a process and can be killed. */
export type Placement = 'shared' | 'solo' | 'solo-process'

/** How a run ended. `result` is raw JSON: the supervisor never parses it. */
export type Outcome =
  | { kind: 'done'; result: string | undefined }
  | { kind: 'failed'; failure: Failure }
  /** Back to the queue, no attempt used. `crashed`: it was in an executor that died of an unknown cause. */
  | { kind: 'handed-back'; reason: string; crashed: boolean }
  /** Not ours any more: nothing is written. */
  | { kind: 'dropped'; reason: string }

export class Run {
  readonly seq: number
  readonly job: FleetJob
  readonly token: string
  readonly entry: JobEntry
  /** When it was given to an executor, in ms since the epoch; 0 before. */
  startedAt = 0
  /** Set when its signal was aborted. */
  aborted: AbortCause | undefined
  /** Why somebody cancelled it: then it fails, whatever becomes of it and of its executor. */
  cancelReason: string | undefined
  readonly placement: Placement
  #deadline: Deadline | undefined
  #settle: ((outcome: Outcome) => void) | undefined

  constructor(
    seq: number,
    job: FleetJob,
    token: string,
    entry: JobEntry,
    placement: Placement,
    settle: (outcome: Outcome) => void,
  ) {
    this.seq = seq
    this.job = job
    this.token = token
    this.entry = entry
    this.placement = placement
    this.#settle = settle
  }

  /** It was in an executor that died of an unknown cause, or its job was caught blocking. */
  get alone(): boolean {
    return this.placement !== 'shared'
  }

  /** As Redis knows it. */
  get hold(): Hold {
    return holdOf(this.job, this.token)
  }

  get settled(): boolean {
    return this.#settle === undefined
  }

  /** Only the first outcome counts: an executor may die with a result still in its port. */
  settle(outcome: Outcome): void {
    const settle = this.#settle
    if (settle === undefined) return
    this.#settle = undefined
    this.#deadline?.clear()
    settle(outcome)
  }

  /** How it ends, of a run that is not settled. */
  whenSettled(): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const settle = this.#settle
    this.#settle = outcome => {
      settle?.(outcome)
      resolve(outcome)
    }
    return promise
  }

  /** Calls `onDue` after `ms`, unless the run is settled by then. Replaces an earlier deadline. */
  setDeadline(ms: number, onDue: () => void): void {
    this.#deadline?.clear()
    if (!this.settled) this.#deadline = new Deadline(ms, onDue)
  }
}

export function holdOf(job: FleetJob, token: string): Hold {
  return { id: job.id, key: job.key, base: job.base, token, fence: job.attemptsStarted }
}

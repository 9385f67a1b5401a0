/**
 * Cancels a run from outside: its signal aborts, and when it goes on beyond the grace its executor ends. The job fails
 * and is not retried; the other runs of that executor go back to their queue, with no attempt used.
 */
import type { JobRef, Cancelled } from './command.ts'
import type { Pool } from './pool.ts'
import type { Run } from './run.ts'
import { cancelled } from './settlement.ts'

export class Cancelling {
  readonly #runs: ReadonlySet<Run>
  readonly #pool: Pool
  readonly #grace: number
  /** Whoever cancels a run a second time changes nothing of the first: not its end, and not its reason. */
  readonly #begun = new WeakMap<Run, Promise<Cancelled>>()

  /** `grace` in milliseconds. */
  constructor(runs: ReadonlySet<Run>, pool: Pool, grace: number) {
    this.#runs = runs
    this.#pool = pool
    this.#grace = grace
  }

  /** Resolves once the run is over; null: it is not here. */
  async cancel({ queue, id }: JobRef, reason: string): Promise<Cancelled | null> {
    const run = [...this.#runs].find(one => one.job.id === id && one.job.queueName === queue)
    if (run === undefined || run.settled) return null
    const begun = this.#begun.get(run) ?? this.#begin(run, reason)
    this.#begun.set(run, begun)
    return begun
  }

  async #begin(run: Run, reason: string): Promise<Cancelled> {
    const started = performance.now()
    const told = (how: Cancelled['how']): Cancelled => ({
      how,
      job: run.job.name,
      ms: Math.round(performance.now() - started),
    })
    run.cancelReason = reason
    const executor = this.#pool.holderOf(run)
    if (executor === undefined) {
      run.settle({ kind: 'failed', failure: cancelled(reason) })
      return told('not-started')
    }
    let killed = false
    const over = run.whenSettled()
    executor.abort(run, 'cancelled', reason)
    run.setDeadline(this.#grace, () => {
      killed = true
      void this.#pool.end(executor, {
        reason: `${run.job.name} did not stop after it was cancelled`,
        culprit: { run, failure: cancelled(reason) },
      })
    })
    const outcome = await over
    if (outcome.kind === 'done') return told('completed')
    return told(killed ? 'killed' : 'stopped')
  }
}

/**
 * Carries a plan out. Only what differs is written: to write an interval again would begin it anew.
 *
 * Several may do so at once, with plans made of the same state: each write is one script of BullMQ, which takes the next
 * job of the scheduler away and adds its own in its place, so that one scheduler and one next job are left.
 */
import type { Step } from './plan.ts'
import type { Schedulers } from './schedulers.ts'

export interface ApplyOptions {
  owner: string
  /** Orphans are removed. */
  prune: boolean
}

/** The steps that were carried out. One that breaks off is gone on with by the next plan. */
export async function applyPlan(
  steps: readonly Step[],
  schedulers: Schedulers,
  { owner, prune }: ApplyOptions,
): Promise<Step[]> {
  const done: Step[] = []
  for (const step of steps) {
    if (step.action === 'keep' || (step.action === 'orphan' && !prune)) continue
    if (step.action === 'orphan') await schedulers.remove(step.scheduler.queue, step.scheduler.id)
    else {
      // First: for a moment there is none, rather than two.
      if (step.action === 'change' && step.moved !== undefined)
        await schedulers.remove(step.moved.queue, step.moved.id)
      await schedulers.upsert(step.schedule, owner)
    }
    done.push(step)
  }
  return done
}

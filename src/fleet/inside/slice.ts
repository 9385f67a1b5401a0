/**
 * How long the event loop of this executor has been held, and turns of it for the runs that ask.
 *
 * All runs share the loop, so they share one slice: each turn of the loop lets one waiting run go on, first come, first
 * served. Were all let go at once, as many slices as there are runs would pass before a timer or a socket is served.
 */
import type { Run } from './run.ts'

/** Milliseconds. */
export const SLICE = 10

const waiting: (() => void)[] = []
let start = performance.now()

export function isUsedUp(budget: number): boolean {
  return performance.now() - start >= budget
}

/** Lets the loop turn when `budget` milliseconds are used up. Rejects with the reason of an aborted run. */
export async function breathe(run: Run, budget = SLICE): Promise<void> {
  if (run.aborted !== undefined) throw run.aborted
  if (!isUsedUp(budget)) return
  await turn()
  if (run.aborted !== undefined) throw run.aborted
}

function turn(): Promise<void> {
  return new Promise(resolve => {
    waiting.push(resolve)
    if (waiting.length === 1) setImmediate(next)
  })
}

/** An immediate that is made by an immediate waits for the next turn, and for what is due in it. */
function next(): void {
  const goOn = waiting.shift()
  if (waiting.length > 0) setImmediate(next)
  start = performance.now()
  goOn?.()
}

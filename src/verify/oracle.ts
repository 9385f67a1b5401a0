/**
 * What a journal says of the promise. Pure: entries and outcomes in, verdict out.
 *
 * - *lost*: a job that is neither completed nor failed when all is over.
 * - *double*: a run that started while an older one of the same job was alive, on a host that ran and a Redis that answered.
 * - *superseded*: the same, where the older run's replica was frozen or cut off, or had been until a second before. No lock
 *   survives that, so it is counted and is no violation.
 * - *stale*: a job that was completed with the result of an older run than its last.
 */
import type { Entry, FaultEntry, OverlapEntry, RunEntry } from './journal.ts'

/** A frozen replica that woke has so long to end what was superseded, in milliseconds. */
const WAKING = 1_000

/** What no lock survives. */
const OUTAGES = new Set(['freeze', 'cut'])

export interface Outcome {
  id: string
  state: string
  /** Fence of the run whose result was kept; undefined when it did not complete. */
  fence: number | undefined
  /** It is meant to fail. */
  doomed: boolean
  reason?: string
}

export interface Verdict {
  jobs: number
  runs: number
  lost: string[]
  double: string[]
  stale: string[]
  /** Failed though it should not. */
  failed: string[]
  superseded: number
  /** Milliseconds from the fault until each job that ran at the faulty replica had started again, ascending. */
  recovery: number[]
}

/** `ids` are those of the jobs that this verdict is about; the entries may be of more. */
export function judge(entries: readonly Entry[], outcomes: readonly Outcome[]): Verdict {
  const ids = new Set(outcomes.map(({ id }) => id))
  const runs = entries.filter(
    (entry): entry is RunEntry => (entry.what === 'start' || entry.what === 'end') && ids.has(entry.id),
  )
  const starts = runs.filter(({ what }) => what === 'start')
  const overlaps = entries.filter(
    (entry): entry is OverlapEntry => entry.what === 'overlap' && ids.has(entry.id),
  )
  const marks = entries.filter(
    (entry): entry is FaultEntry => entry.what === 'fault' || entry.what === 'mended',
  )
  const faults = marks.filter(({ what }) => what === 'fault')
  const isOut = (replica: number, at: number) =>
    faults.some(
      fault =>
        OUTAGES.has(fault.fault) &&
        fault.replica === replica &&
        at >= fault.at &&
        at <= endOf(fault, marks) + WAKING,
    )
  // By its fence: a run that was taken first may begin last, where it waited behind one that blocks.
  const excused = overlaps.filter(({ fence, replica, older, at }) =>
    isOut(fence < older.fence ? replica : older.replica, at),
  )
  const last = new Map<string, number>()
  for (const { id, fence } of starts) last.set(id, Math.max(fence, last.get(id) ?? 0))
  const open = new Set(['completed', 'failed'])
  return {
    jobs: outcomes.length,
    runs: starts.length,
    lost: outcomes.filter(({ state }) => !open.has(state)).map(({ id, state }) => `${id}: ${state}`),
    double: overlaps
      .filter(overlap => !excused.includes(overlap))
      .map(
        ({ id, fence, replica, older }) =>
          `${id}: run ${fence} (replica ${replica}) while run ${older.fence} (replica ${older.replica})`,
      ),
    stale: outcomes
      .filter(({ id, fence }) => fence !== undefined && fence !== last.get(id))
      .map(({ id, fence }) => `${id}: result of run ${fence} of ${last.get(id)}`),
    failed: outcomes
      .filter(({ state, doomed }) => state === 'failed' && !doomed)
      .map(({ id, reason }) => `${id}: ${reason}`),
    superseded: excused.length,
    recovery: faults.flatMap(fault => recoveryFrom(fault, runs)).toSorted((a, b) => a - b),
  }
}

/** One that is not mended, as when a replica is killed, is over at once. */
function endOf(fault: FaultEntry, marks: readonly FaultEntry[]): number {
  const mended = marks.find(
    ({ what, replica, at }) => what === 'mended' && replica === fault.replica && at >= fault.at,
  )
  return mended?.at ?? fault.at
}

function recoveryFrom(fault: FaultEntry, runs: readonly RunEntry[]): number[] {
  const started = runs.filter(({ what }) => what === 'start')
  return started.flatMap(({ id, fence, replica, at }) => {
    if (replica !== fault.replica || at > fault.at) return []
    const ended = runs.some(
      run => run.what === 'end' && run.id === id && run.fence === fence && run.at <= fault.at,
    )
    const next = started.find(run => run.id === id && run.fence > fence && run.at >= fault.at)
    return ended || next === undefined ? [] : [next.at - fault.at]
  })
}

/** Sorted values in; 0 of none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

export function isViolated({ lost, double, stale, failed }: Verdict): boolean {
  return [lost, double, stale, failed].some(list => list.length > 0)
}

/** Jobs that a migration consists of: what their payload is, beside which any other is the arguments of a new run. */
import type { JobContext } from './context.ts'

export interface Part {
  run: string
  part: 'plan' | 'end' | 'retry' | 'split' | number
}

/** What makes a run wait: one of the signals that there are, or one of the author's own. */
export type HoldKind = 'replica_lag' | 'query' | 'http' | 'other'

/** Since the last time. */
export interface PartProgress {
  /** Committed. */
  rows: number
  /** Rows of the last batch. */
  batch?: number
  /** A look said that the run has to wait. */
  held?: HoldKind
}

/** What the runtime gives a part. */
export interface PartContext extends JobContext {
  /** Tells the replica, for its metrics. Redis hears nothing of it. */
  progressed(progress: PartProgress): void
}

const PART = '$migration'

export const partPayload = (part: Part): Record<string, Part> => ({ [PART]: part })

export function partOf(payload: unknown): Part | undefined {
  return typeof payload === 'object' && payload !== null && PART in payload
    ? (payload as Record<string, Part>)[PART]
    : undefined
}

/** Job id of a part: while one waits or runs, BullMQ adds no second. */
export const partId = ({ run, part }: Part): string => `${run}-${part}`

/** Options of a job that is a part: tried again for ever, since what fails for good is said in the ledger. */
export const PART_OPTIONS = {
  attempts: Number.MAX_SAFE_INTEGER,
  backoff: { type: 'fixed', delay: 1_000 },
  removeOnComplete: true,
  removeOnFail: true,
} as const

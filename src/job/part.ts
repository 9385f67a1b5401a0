/** Jobs that a migration consists of: what their payload is, beside which any other is the arguments of a new run. */

export interface Part {
  run: string
  part: 'plan' | 'end' | 'retry' | 'split' | number
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

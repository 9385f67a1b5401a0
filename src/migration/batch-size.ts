/**
 * How many rows a batch has: as many as take `TARGET` at the speed of the last batches, which count less the older they
 * are. The decayed sums are those of pt-online-schema-change, the bounded growth and the sharp brake those of
 * block/spirit; halving and taking the same range again is what GitLab calls splitting a batch.
 */

import { climbed, type Climb } from './climb.ts'

export interface BatchSize {
  /** Of the next batch. */
  rows: number
  /** Decayed sums of the rows and milliseconds of those before. */
  seenRows: number
  seenMs: number
  /** What this slice has learned of sizes. */
  climb?: Climb
}

/** Milliseconds of a transaction. */
const TARGET = 400
const DECAY = 0.75
const LEAST = 1
const MOST = 10_000
const GROWTH = 1.5
/** Less of a change than this is noise. */
const NOISE = 0.15

/** After a batch of so many rows that took so long: milliseconds of the transaction alone. `most`: what is allowed. */
export function afterBatch(
  { rows: size, seenRows, seenMs, climb: before }: BatchSize,
  rows: number,
  ms: number,
  most = MOST,
): BatchSize {
  const known = before === undefined ? {} : { climb: before }
  // The last batch of a shard is short: it says nothing of what a full one takes.
  if (rows < size) return { rows: Math.min(size, most), seenRows, seenMs, ...known }
  const seen = { seenRows: DECAY * seenRows + rows, seenMs: DECAY * seenMs + ms }
  if (ms > 5 * TARGET) return { rows: Math.max(LEAST, Math.floor(size / 4)), ...seen, ...known }
  const climb = climbed(before, rows, ms)
  const want = (seen.seenRows / Math.max(seen.seenMs, 1)) * TARGET
  const bounded = Math.abs(want / size - 1) <= NOISE ? size : Math.min(want, GROWTH * size)
  // By one row at least: of one row, a third more is still one, for ever.
  const next = bounded > size ? Math.max(size + 1, bounded) : bounded
  return { rows: clamp(Math.min(next, most, climb?.most ?? MOST)), ...seen, ...(climb && { climb }) }
}

/** After a timeout, a lock that was not to be had, or an error: the same range again, in halves. */
export function halved(size: BatchSize): BatchSize {
  return { ...size, rows: Math.max(LEAST, Math.floor(size.rows / 2)) }
}

function clamp(rows: number): number {
  return Math.max(LEAST, Math.min(MOST, Math.round(rows)))
}

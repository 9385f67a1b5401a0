/**
 * Whether larger batches pay: where a planner changes its mind about a statement, ten thousand rows take longer one by
 * one than two thousand did. A hill climb, for as long as a slice lasts:
 *
 * A size that is clearly slower twice is left for the best one before it; unless that is not faster either, so that it
 * was the rows, and not how many. And now and then a batch of half the size is tried, which stays if it is faster.
 */

export interface Climb {
  /** The fastest so far: its rows, and rows a millisecond. */
  rows: number
  rate: number
  /** Rate of the last batches, whatever their size. */
  now: number
  /** Rows that the next batch may have; and those after it, if this one is only tried. */
  most: number
  ceiling: number
  /** Whether the last batch was larger and clearly slower. */
  slower: boolean
  /** Rate that a larger size was left for, until the first batch of the smaller one; 0: none was. */
  left: number
  /** Batches until a smaller one is tried; 0: this is that one. */
  until: number
}

/**
 * Less than this share of the best rate is clearly slower: more than what it makes that other shards came to work at the
 * same time.
 */
const SLOWER = 0.4
/** As many times the rate that was left: then it was right to leave it. */
const FASTER = 1.5
/** As many times the rate of the size before: then half of that is better. One batch says it. */
const MUCH_FASTER = 2
/** Two steps of growth are taken back at once. */
const BACK = 1 / 2.25
/** Milliseconds below which the rate of a batch is chance. */
const CHANCE = 5
const EVERY = 12
/** Rows below which the cost of a transaction is most of it. */
const LEAST = 200

/** After a full batch. */
export function climbed(climb: Climb | undefined, rows: number, ms: number): Climb | undefined {
  if (climb === undefined && ms < CHANCE) return undefined
  const rate = rows / Math.max(ms, 1)
  const here: Climb = {
    rows,
    rate,
    now: rate,
    most: Infinity,
    ceiling: Infinity,
    slower: false,
    left: 0,
    until: EVERY,
  }
  if (climb === undefined) return here
  if (climb.left > 0) return rate < FASTER * climb.left ? here : { ...climb, rate, now: rate, left: 0 }
  if (climb.until === 0) {
    if (rate > MUCH_FASTER * climb.now) return { ...here, most: rows, ceiling: rows }
    return { ...climb, most: climb.ceiling, until: EVERY }
  }
  const until = rows < LEAST ? EVERY : climb.until - 1
  const next = { ...climb, now: (climb.now + rate) / 2, most: climb.ceiling, slower: false, until }
  if (rows > climb.rows && rate < SLOWER * climb.rate) {
    if (!climb.slower) return { ...next, slower: true, most: rows, until: EVERY }
    const most = Math.max(climb.rows, Math.ceil(rows * BACK))
    return { ...next, most, ceiling: most, left: rate, until: EVERY }
  }
  if (rate >= climb.rate) Object.assign(next, { rows, rate })
  // At the same size it is what it is now: what is found later in a table may take longer.
  else if (rows === climb.rows) next.rate = next.now
  if (next.until === 0) next.most = Math.ceil(rows / 2)
  return next
}

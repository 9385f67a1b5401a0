/**
 * How often a duration was how long, in buckets that grow by a fourth root of two: whatever is read from it is at most
 * 19 % too much and never too little. Counts of many histograms add up to one, which is why it is none of Node's: those
 * cannot leave their process. The buckets are those of exponential histograms in OpenTelemetry, scale 2.
 */
const PER_OCTAVE = 4

export type Bucket = [bucket: number, count: number]

export class Histogram {
  count = 0
  readonly #counts: number[] = []
  #taken: number[] = []

  /** Milliseconds; less than one counts as one. Hot path. */
  record(ms: number): void {
    this.add(ms <= 1 ? 0 : Math.ceil(Math.log2(ms) * PER_OCTAVE), 1)
  }

  /** What another histogram counted. */
  add(bucket: number, count: number): void {
    while (this.#counts.length <= bucket) this.#counts.push(0)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count
    this.count += count
  }

  /** What was counted since `take` was last called. */
  get pending(): Bucket[] {
    const since = this.#counts.map((count, bucket): Bucket => [bucket, count - (this.#taken[bucket] ?? 0)])
    return since.filter(([, count]) => count > 0)
  }

  /** The same, and from now on it is not pending any more. */
  take(): Bucket[] {
    const pending = this.pending
    this.#taken = [...this.#counts]
    return pending
  }

  /** Milliseconds that a `share` of all, 0 to 1, does not exceed; 0 of none. Of few, 0.999 is the most. */
  percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(this.count * share))
    let seen = 0
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count
      if (seen >= rank) return 2 ** (bucket / PER_OCTAVE)
    }
    return 0
  }

  /** Milliseconds, off by a tenth at most: each is taken as the middle of its bucket. 0 of none. */
  get mean(): number {
    const sum = this.#counts.reduce(
      (all, count, bucket) => all + count * 2 ** ((bucket - 0.5) / PER_OCTAVE),
      0,
    )
    return this.count === 0 ? 0 : sum / this.count
  }

  /** Milliseconds; 0 of none. */
  get most(): number {
    return this.percentile(1)
  }
}

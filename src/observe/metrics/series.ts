/**
 * The series of one family by label values, found again without making a key of them: `inc` and `observe` of
 * @prometheus-io/client look their labels up each time, at 0.2 and 0.5 us, and here they are called for every job. A
 * series is kept by whoever counts in it; the family is read when it is asked for.
 */
import type { Metric, Registry } from '@prometheus-io/client'

/** Seconds. Jobs take from milliseconds to hours. */
export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600]

type Labels = Record<string, string>

interface Sample {
  labels: Record<string, string | number>
  value: number
  metricName?: string
}

export class Tally {
  count = 0
  readonly labels: Labels

  constructor(labels: Labels) {
    this.labels = labels
  }
}

export class Distribution {
  sum = 0
  readonly labels: Labels
  /** The last one is of what is beyond all bounds. */
  readonly counts: number[] = Array.from({ length: SECONDS.length + 1 }, () => 0)

  constructor(labels: Labels) {
    this.labels = labels
  }

  /** Hot path. */
  observe(seconds: number): void {
    let bucket = 0
    while (bucket < SECONDS.length && seconds > (SECONDS[bucket] as number)) bucket++
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.sum += seconds
  }
}

interface Family {
  name: string
  help: string
  registry: Registry
}

/** A counter of these series, which may grow in number. */
export function exposeTallies(family: Family, series: readonly Tally[]): void {
  expose(family, 'counter', () => series.map(({ labels, count }) => ({ labels, value: count })))
}

/** A histogram of these series. */
export function exposeDistributions(family: Family, series: readonly Distribution[]): void {
  expose(family, 'histogram', () => series.flatMap(one => samplesOf(family.name, one)))
}

function samplesOf(name: string, { labels, counts, sum }: Distribution): Sample[] {
  let count = 0
  const buckets = counts.map((own, bucket): Sample => {
    count += own
    return {
      labels: { ...labels, le: SECONDS[bucket] ?? '+Inf' },
      value: count,
      metricName: `${name}_bucket`,
    }
  })
  return [
    ...buckets,
    { labels, value: sum, metricName: `${name}_sum` },
    { labels, value: count, metricName: `${name}_count` },
  ]
}

/** A registry asks a metric for no more than its name and `get`. */
function expose(
  { name, help, registry }: Family,
  type: 'counter' | 'histogram',
  samples: () => Sample[],
): void {
  const get = async () => ({ name, help, type, values: samples(), aggregator: 'sum' })
  registry.registerMetric({ name, help, type, get } as unknown as Metric<string>)
}

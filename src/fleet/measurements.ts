/** What this replica measures of its queues, in milliseconds, and what the fleet has measured before. */
import { Histogram } from '../observe/histogram.ts'
import { METRICS, type Count, type Measured, type Metric } from '../redis/measured.ts'

/** How often it is added to what the other replicas measured. Milliseconds. */
const FLUSH_EVERY = 10_000

/**
 * `run`: from the start of a run to its end, however it ended. `block`: an event loop that was held longer than
 * `--block-warn`. `delay`: how much later than it should a lock was renewed. `roundTrip`: of a renewal.
 */
export type QueueMeasurements = Record<Metric, Histogram>

export class Measurements {
  readonly #measured: Measured
  readonly #onError: (error: unknown) => void
  readonly #queues = new Map<string, QueueMeasurements>()
  #timer: NodeJS.Timeout | undefined

  constructor(measured: Measured, onError: (error: unknown) => void) {
    this.#measured = measured
    this.#onError = onError
  }

  start(): void {
    this.#timer = setInterval(() => void this.#flush().catch(this.#onError), FLUSH_EVERY)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#flush()
  }

  /** Hot path. */
  of(queue: string): QueueMeasurements {
    let own = this.#queues.get(queue)
    if (own === undefined) this.#queues.set(queue, (own = emptyMeasurements()))
    return own
  }

  /** What all replicas measured in the last seven days. */
  async history(queue: string): Promise<QueueMeasurements> {
    return measurementsOf(await this.#measured.read(queue))
  }

  async #flush(): Promise<void> {
    for (const [queue, own] of this.#queues) {
      const counts = METRICS.flatMap(metric =>
        own[metric].take().map(([bucket, count]): Count => ({ metric, bucket, count })),
      )
      if (counts.length > 0) await this.#measured.add(queue, counts)
    }
  }
}

export function measurementsOf(counts: readonly Count[]): QueueMeasurements {
  const all = emptyMeasurements()
  // A later version may measure more.
  for (const { metric, bucket, count } of counts) all[metric]?.add(bucket, count)
  return all
}

function emptyMeasurements(): QueueMeasurements {
  return {
    run: new Histogram(),
    block: new Histogram(),
    delay: new Histogram(),
    roundTrip: new Histogram(),
  }
}

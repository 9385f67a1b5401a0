/**
 * The series of jobs, by queue and name. All of a job are there from its first run on: a rate is known only of a series
 * that was there before. Names without a handler share one: whoever adds jobs must not be able to make series.
 */
import type { Registry } from '@prometheus-io/client'
import { Distribution, Tally, exposeDistributions, exposeTallies } from './series.ts'

/** A name, or the queue as well, that is none of ours or that nobody can tell. */
export const OTHER = '_other'

const OUTCOMES = ['completed', 'failed', 'retried', 'snoozed', 'handed_back', 'put_back'] as const
type Outcome = (typeof OUTCOMES)[number]

interface JobTallies {
  wait: Distribution
  took: Record<'completed' | 'failed', Distribution>
  finished: Record<Outcome, Tally>
  blocks: Tally
  blockedSeconds: Tally
}

export class JobSeries {
  readonly #isHandler: (name: string) => boolean
  readonly #known = new Map<string, Map<string, JobTallies>>()
  readonly #waits: Distribution[] = []
  readonly #durations: Distribution[] = []
  readonly #finished: Tally[] = []
  readonly #blocks: Tally[] = []
  readonly #blockedSeconds: Tally[] = []

  constructor(registry: Registry, isHandler: (name: string) => boolean) {
    this.#isHandler = isHandler
    exposeDistributions(
      {
        name: 'runner_job_wait_seconds',
        help: 'Time from when a job could have been started until it was, of jobs started for the first time.',
        registry,
      },
      this.#waits,
    )
    exposeDistributions(
      {
        name: 'runner_job_duration_seconds',
        help: 'Time from the start of a run to its end. Outcome failed: also when it is tried again.',
        registry,
      },
      this.#durations,
    )
    const tallies = (name: string, help: string, of: Tally[]) => exposeTallies({ name, help, registry }, of)
    tallies('runner_jobs_finished_total', 'Jobs that left a replica, by what became of them.', this.#finished)
    tallies(
      'runner_job_blocks_total',
      'Event loops held longer than --block-warn, when it is over.',
      this.#blocks,
    )
    tallies(
      'runner_job_blocked_seconds_total',
      'Time that event loops were held, of blocks longer than --block-warn.',
      this.#blockedSeconds,
    )
  }

  /** Hot path. */
  of(queue: string, job: string): JobTallies {
    return this.#known.get(queue)?.get(job) ?? this.#open(queue, this.#isHandler(job) ? job : OTHER)
  }

  #open(queue: string, name: string): JobTallies {
    const ofQueue = this.#known.get(queue) ?? new Map<string, JobTallies>()
    const known = ofQueue.get(name)
    if (known !== undefined) return known
    const labels = { queue, name }
    const opened: JobTallies = {
      wait: new Distribution(labels),
      took: {
        completed: new Distribution({ ...labels, outcome: 'completed' }),
        failed: new Distribution({ ...labels, outcome: 'failed' }),
      },
      finished: Object.fromEntries(
        OUTCOMES.map(outcome => [outcome, new Tally({ ...labels, outcome })]),
      ) as Record<Outcome, Tally>,
      blocks: new Tally(labels),
      blockedSeconds: new Tally(labels),
    }
    this.#known.set(queue, ofQueue.set(name, opened))
    this.#waits.push(opened.wait)
    this.#durations.push(opened.took.completed, opened.took.failed)
    this.#finished.push(...Object.values(opened.finished))
    this.#blocks.push(opened.blocks)
    this.#blockedSeconds.push(opened.blockedSeconds)
    return opened
  }
}

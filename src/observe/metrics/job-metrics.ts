/** Jobs as this replica ran them: how long they waited, how long they took, how they ended. */
import type { Registry } from '@prometheus-io/client'
import type { Events } from '../events.ts'
import type { ReplicaView } from './replica-view.ts'
import { Distribution, Tally, exposeDistributions, exposeTallies } from './series.ts'

/** Of a job that has no handler here: whoever adds jobs must not be able to make series. */
export const OTHER = '_other'

const OUTCOMES = ['completed', 'failed', 'retried', 'snoozed', 'handed_back', 'put_back'] as const
type Outcome = (typeof OUTCOMES)[number]

/** Of one queue and one name. */
interface JobSeries {
  wait: Distribution
  took: Record<'completed' | 'failed', Distribution>
  finished: Record<Outcome, Tally>
}

export class JobMetrics {
  readonly #isHandler: (name: string) => boolean
  /** By queue, then by name. Only handlers are in it: anything else goes by `_other`. */
  readonly #series = new Map<string, Map<string, JobSeries>>()
  readonly #waits: Distribution[] = []
  readonly #durations: Distribution[] = []
  readonly #finished: Tally[] = []

  constructor(registry: Registry, events: Events, { isHandler }: Pick<ReplicaView, 'isHandler'>) {
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
        help: 'Time from the start of a run to its end. Failed: also when it is tried again.',
        registry,
      },
      this.#durations,
    )
    exposeTallies(
      {
        name: 'runner_jobs_finished_total',
        help: 'Jobs that left this replica, by what became of them.',
        registry,
      },
      this.#finished,
    )
    this.#listen(events)
  }

  /** Hot path, for the first two. */
  #listen(events: Events): void {
    events.on('run.started', ({ queue, job, wait }) => {
      const { wait: waits } = this.#of(queue, job)
      if (wait !== undefined) waits.observe(wait / 1_000)
    })
    events.on('job.completed', ({ queue, job, ms }) => {
      const { took, finished } = this.#of(queue, job)
      took.completed.observe(ms / 1_000)
      finished.completed.count++
    })
    events.on('job.failed', ({ queue, job, ms, final }) => {
      const { took, finished } = this.#of(queue, job)
      took.failed.observe(ms / 1_000)
      finished[final ? 'failed' : 'retried'].count++
    })
    events.on('job.delayed', ({ queue, job, kind }) => {
      // One that is retried fails as well, and is counted there.
      if (kind === 'snooze') this.#of(queue, job).finished.snoozed.count++
    })
    events.on('job.handed-back', ({ queue, job }) => void this.#of(queue, job).finished.handed_back.count++)
    events.on('job.unknown', ({ queue, job, putBack }) => {
      this.#of(queue, job).finished[putBack ? 'put_back' : 'failed'].count++
    })
  }

  #of(queue: string, job: string): JobSeries {
    return this.#series.get(queue)?.get(job) ?? this.#open(queue, this.#isHandler(job) ? job : OTHER)
  }

  /** All outcomes at once: a rate is known only of a series that was there before. */
  #open(queue: string, name: string): JobSeries {
    const known = this.#series.get(queue)?.get(name)
    if (known !== undefined) return known
    const wait = new Distribution({ queue, name })
    const took = {
      completed: new Distribution({ queue, name, outcome: 'completed' }),
      failed: new Distribution({ queue, name, outcome: 'failed' }),
    }
    const finished = Object.fromEntries(
      OUTCOMES.map(outcome => [outcome, new Tally({ queue, name, outcome })]),
    ) as Record<Outcome, Tally>
    this.#waits.push(wait)
    this.#durations.push(took.completed, took.failed)
    this.#finished.push(...Object.values(finished))
    const opened = { wait, took, finished }
    const ofQueue = this.#series.get(queue) ?? new Map<string, JobSeries>()
    this.#series.set(queue, ofQueue.set(name, opened))
    return opened
  }
}

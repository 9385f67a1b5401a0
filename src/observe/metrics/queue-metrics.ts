/**
 * Queues as all replicas together see them, from the one process that looks at Redis for it: told by every replica they
 * would be summed up. Looked at when Prometheus asks. When Redis does not answer, there is no series of any queue: an
 * unknown backlog is neither 0 nor what it was. That is seen by `runner_metrics_last_success_timestamp_seconds`.
 */
import { Gauge, Registry } from '@prometheus-io/client'

/** Times in milliseconds. */
export interface QueueFigures {
  queue: string
  waiting: number
  prioritized: number
  active: number
  delayed: number
  waitingChildren: number
  completed: number
  failed: number
  /** Of those that are delayed, the ones whose delay is over, or nearly. */
  dueDelayed: number
  /** null: none waits. */
  oldestAge: number | null
  paused: boolean
  /** What the backlog takes with the replicas there are; null: nobody works it. */
  drain: number | null
  desiredReplicas: number
  /** The same, were there no most. */
  wantedReplicas: number
  /** null: no limit. */
  maxReplicas: number | null
}

interface ScheduleFigures {
  queue: string
  schedule: string
  /** Milliseconds since the epoch. In the past: nobody takes it. */
  nextRun: number
}

export interface ServiceFigures {
  queues: readonly QueueFigures[]
  schedules: readonly ScheduleFigures[]
}

const STATES = {
  waiting: 'waiting',
  prioritized: 'prioritized',
  active: 'active',
  delayed: 'delayed',
  'waiting-children': 'waitingChildren',
  completed: 'completed',
  failed: 'failed',
} as const satisfies Record<string, keyof QueueFigures>

type Reading = [labels: Record<string, string>, value: number | null]

/** `look` has a time limit of its own. What it rejects with is told to `onError`. */
export function queueMetrics(
  look: () => Promise<ServiceFigures>,
  onError: (error: unknown) => void,
): Registry {
  const registry = new Registry()
  const registers = [registry]
  let lastSuccess = 0
  let looking: Promise<ServiceFigures> | undefined
  /** One look for all families: they are asked in one turn. */
  const current = () =>
    (looking ??= look()
      .then(figures => {
        lastSuccess = Date.now()
        return figures
      })
      .catch((error: unknown) => {
        onError(error)
        return { queues: [], schedules: [] }
      })
      .finally(() => (looking = undefined)))
  const gauge = (
    name: string,
    help: string,
    labelNames: string[],
    readings: (figures: ServiceFigures) => Reading[],
  ) =>
    void new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        const figures = await current()
        this.reset()
        for (const [labels, value] of readings(figures)) if (value !== null) this.set(labels, value)
      },
    })
  const perQueue = (name: string, help: string, valueOf: (figures: QueueFigures) => number | null) =>
    gauge(name, help, ['queue'], ({ queues }) => queues.map(one => [{ queue: one.queue }, valueOf(one)]))
  gauge('runner_queue_jobs', 'Jobs by state.', ['queue', 'state'], ({ queues }) =>
    queues.flatMap(one =>
      Object.entries(STATES).map(([state, key]): Reading => [{ queue: one.queue, state }, one[key]]),
    ),
  )
  perQueue(
    'runner_queue_due_delayed_jobs',
    'Delayed jobs that are due, or nearly. BullMQ moves them only when a worker asks for a job.',
    one => one.dueDelayed,
  )
  perQueue(
    'runner_queue_oldest_job_age_seconds',
    'Time since the job that waits longest could have been started; 0 when none waits.',
    one => seconds(one.oldestAge) ?? 0,
  )
  perQueue('runner_queue_paused', '1 when no worker may take a job of it.', one => (one.paused ? 1 : 0))
  perQueue('runner_queue_drain_seconds', 'What the backlog takes with the replicas there are.', one =>
    seconds(one.drain),
  )
  perQueue(
    'runner_queue_desired_replicas',
    'Replicas that the queue needs: what an autoscaler should make.',
    one => one.desiredReplicas,
  )
  perQueue(
    'runner_queue_wanted_replicas',
    'Replicas that would be of use to the queue, were there no most.',
    one => one.wantedReplicas,
  )
  perQueue(
    'runner_queue_max_replicas',
    'The most that an autoscaler is told to make.',
    one => one.maxReplicas,
  )
  gauge(
    'runner_schedule_next_run_timestamp_seconds',
    'When its next job is due.',
    ['queue', 'schedule'],
    figures =>
      figures.schedules.map(({ queue, schedule, nextRun }) => [{ queue, schedule }, seconds(nextRun)]),
  )
  void new Gauge({
    name: 'runner_metrics_last_success_timestamp_seconds',
    help: 'When Redis was last read for the figures of queues; 0: never.',
    registers,
    async collect() {
      await current()
      this.set(lastSuccess / 1_000)
    },
  })
  return registry
}

const seconds = (ms: number | null) => (ms === null ? null : ms / 1_000)

/** Queues in gauges: one look at Redis for all of them, and none of a moment that nobody knows. */
import { expect, it } from 'vitest'
import { queueMetrics, type QueueFigures } from '../../../src/observe/metrics/queue-metrics.ts'

const MAIL: QueueFigures = {
  queue: 'mail',
  waiting: 5,
  prioritized: 1,
  active: 2,
  delayed: 7,
  waitingChildren: 3,
  completed: 100,
  failed: 4,
  dueDelayed: 6,
  oldestAge: 90_000,
  paused: false,
  drain: 30_000,
  desiredReplicas: 2,
  wantedReplicas: 11,
  maxReplicas: 8,
}
const HOURLY = { queue: 'mail', schedule: 'hourly', nextRun: 1_700_003_600_000 }

const series = (text: string) => text.split('\n').filter(line => line.startsWith('runner_'))

it('has the figures of all queues in base units, by one look for each scrape', async () => {
  let looks = 0
  const registry = queueMetrics(
    async () => {
      looks++
      return {
        queues: [MAIL, { ...MAIL, queue: 'img', oldestAge: null, drain: null, paused: true }],
        schedules: [HOURLY, { ...HOURLY, queue: 'img', nextRun: 1_700_000_000_000 }],
      }
    },
    error => expect.unreachable(String(error)),
  )
  const all = series(await registry.metrics())
  expect(looks).toBe(1)
  expect(all).toEqual(
    expect.arrayContaining([
      'runner_queue_jobs{queue="mail",state="waiting"} 5',
      'runner_queue_jobs{queue="mail",state="waiting-children"} 3',
      'runner_queue_due_delayed_jobs{queue="mail"} 6',
      'runner_queue_oldest_job_age_seconds{queue="mail"} 90',
      'runner_queue_oldest_job_age_seconds{queue="img"} 0',
      'runner_queue_paused{queue="img"} 1',
      'runner_queue_paused{queue="mail"} 0',
      'runner_queue_drain_seconds{queue="mail"} 30',
      'runner_queue_desired_replicas{queue="mail"} 2',
      'runner_queue_wanted_replicas{queue="mail"} 11',
      'runner_queue_max_replicas{queue="mail"} 8',
      'runner_schedule_next_run_timestamp_seconds{queue="mail",schedule="hourly"} 1700003600',
      'runner_schedule_next_run_timestamp_seconds{queue="img",schedule="hourly"} 1700000000',
    ]),
  )
  expect(all.filter(line => line.startsWith('runner_queue_jobs'))).toHaveLength(14)
  // Nobody works it: it drains in no time that could be said.
  expect(all.filter(line => line.startsWith('runner_queue_drain_seconds'))).toHaveLength(1)
})

it('has no series of a queue while Redis cannot be read, and says since when', async () => {
  let isAway = false
  const errors: unknown[] = []
  const registry = queueMetrics(
    async () => {
      if (isAway) throw new Error('away')
      return { queues: [MAIL], schedules: [HOURLY] }
    },
    error => errors.push(error),
  )
  const before = Date.now() / 1_000
  const success = (text: string) =>
    Number(/^runner_metrics_last_success_timestamp_seconds (.*)$/m.exec(text)?.[1])
  const read = success(await registry.metrics())
  expect(read).toBeGreaterThanOrEqual(before)
  isAway = true
  const text = await registry.metrics()
  expect(series(text)).toEqual([`runner_metrics_last_success_timestamp_seconds ${read}`])
  expect(errors).toHaveLength(1)
  isAway = false
  expect(series(await registry.metrics())).toContain('runner_queue_jobs{queue="mail",state="active"} 2')
})

/** Jobs as a replica ran them: how long they waited, how long they took, what became of them. */
import type { Events } from '../events.ts'
import type { JobSeries } from './job-series.ts'

/** Hot path, for the first two. */
export function jobMetrics(series: JobSeries, events: Events): void {
  events.on('run.started', ({ queue, job, wait }) => {
    const known = series.of(queue, job)
    if (wait !== undefined) known.wait.observe(wait / 1_000)
  })
  events.on('job.completed', ({ queue, job, ms }) => {
    const { took, finished } = series.of(queue, job)
    took.completed.observe(ms / 1_000)
    finished.completed.count++
  })
  events.on('job.failed', ({ queue, job, ms, final }) => {
    const { took, finished } = series.of(queue, job)
    took.failed.observe(ms / 1_000)
    finished[final ? 'failed' : 'retried'].count++
  })
  events.on('job.delayed', ({ queue, job, kind }) => {
    // One that is retried fails as well, and is counted there.
    if (kind === 'snooze') series.of(queue, job).finished.snoozed.count++
  })
  events.on('job.handed-back', ({ queue, job }) => void series.of(queue, job).finished.handed_back.count++)
  events.on('job.unknown', ({ queue, job, putBack }) => {
    series.of(queue, job).finished[putBack ? 'put_back' : 'failed'].count++
  })
}

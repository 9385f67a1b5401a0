/** What a handler may ask of its own job in Redis: the methods of BullMQ's sandbox job, with the run's own token. */
import { RunnerError } from '../errors.ts'
import type { FleetJob } from './fleet-job.ts'
import type { Run } from './run.ts'

type Call = (job: FleetJob, token: string, ...args: never[]) => Promise<unknown>

const CALLS: Record<string, Call> = {
  log: (job, _token, row: string) => job.log(row),
  updateProgress: (job, _token, value: never) => job.updateProgress(value),
  updateData: (job, _token, data: never) => job.updateData(data),
  // Without the token BullMQ would move the job away under whoever holds it now.
  moveToDelayed: (job, token, timestamp: number) => job.moveToDelayed(timestamp, token),
  moveToWait: (job, token) => job.moveToWait(token),
  moveToWaitingChildren: (job, token, options: never) => job.moveToWaitingChildren(token, options),
  getChildrenValues: job => job.getChildrenValues(),
  getIgnoredChildrenFailures: job => job.getIgnoredChildrenFailures(),
  getDependencies: (job, _token, options: never) => job.getDependencies(options),
  getDependenciesCount: (job, _token, options: never) => job.getDependenciesCount(options),
  extendLock: (job, token, ms: number) => job.extendLock(token, ms),
}

export function callJob(run: Run, method: string, args: unknown[]): Promise<unknown> {
  const call = Object.hasOwn(CALLS, method) ? CALLS[method] : undefined
  if (call === undefined) throw new RunnerError('USAGE', `a job has no method ${method}`)
  return call(run.job, run.token, ...(args as never[]))
}

/**
 * What a handler may ask of its own job in Redis: the methods of BullMQ's sandbox job, with the run's own token, and
 * what its checkpoint and steps are kept in. Everything that writes is fenced.
 */
import { RunnerError, SupersededError } from '../errors.ts'
import type { Fence } from '../redis/fence.ts'
import { CHECKPOINT, stepField } from '../redis/job-fields.ts'
import { childrenOf } from './children.ts'
import type { Run } from './run.ts'

type Call = (run: Run, fence: Fence, ...args: never[]) => Promise<unknown>

const CALLS: Record<string, Call> = {
  log: (run, fence, row: string) => fence.log(run.hold, row, run.job.opts.keepLogs),
  updateProgress: (run, fence, value: never) => fence.progress(run.hold, JSON.stringify(value)),
  updateData: (run, fence, data: never) => fence.setField(run.hold, 'data', JSON.stringify(data)),
  'checkpoint.get': async (run, fence) => parsed(await fence.getField(run.hold, CHECKPOINT)),
  'checkpoint.set': (run, fence, json: string) => fence.setField(run.hold, CHECKPOINT, json),
  'step.get': async (run, fence, name: string) => {
    const json = await fence.getField(run.hold, stepField(name))
    return json === null ? null : { value: parsed(json) }
  },
  'step.set': (run, fence, name: string, json: string) => fence.setField(run.hold, stepField(name), json),
  // Without the token BullMQ would move the job away under whoever holds it now.
  moveToDelayed: ({ job, token }, _fence, timestamp: number) => job.moveToDelayed(timestamp, token),
  moveToWait: ({ job, token }) => job.moveToWait(token),
  moveToWaitingChildren: ({ job, token }, _fence, options: never) =>
    job.moveToWaitingChildren(token, options),
  children: ({ job }, fence) => childrenOf(job, key => fence.getField({ key }, 'name')),
  getChildrenValues: ({ job }) => job.getChildrenValues(),
  getIgnoredChildrenFailures: ({ job }) => job.getIgnoredChildrenFailures(),
  getDependencies: ({ job }, _fence, options: never) => job.getDependencies(options),
  getDependenciesCount: ({ job }, _fence, options: never) => job.getDependenciesCount(options),
  extendLock: ({ job, token }, _fence, ms: number) => job.extendLock(token, ms),
}

/** Whether it changes nothing. */
export function isRead(method: string): boolean {
  return (method === 'children' || /get/i.test(method)) && Object.hasOwn(CALLS, method)
}

/** Rejects with SupersededError, whatever is asked, once the run is settled: its job may be somebody else's. */
export async function callJob(run: Run, fence: Fence, method: string, args: unknown[]): Promise<unknown> {
  const call = Object.hasOwn(CALLS, method) ? CALLS[method] : undefined
  if (call === undefined) throw new RunnerError('USAGE', `a job has no method ${method}`)
  if (run.settled) throw new SupersededError(`this run of job ${run.job.id} is over`)
  return call(run, fence, ...(args as never[]))
}

const parsed = (json: string | null): unknown => (json === null ? null : JSON.parse(json))

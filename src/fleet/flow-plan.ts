/** From a flow that was checked to the one that BullMQ is given: ids, queues and options of each of its jobs. */
import type { FlowJob, JobsOptions } from 'bullmq'
import { toJobsOptions } from '../job/enqueue-options.ts'
import type { FlowIds, OnFail } from '../job/flow.ts'
import type { CheckedFlow } from '../job/flow-check.ts'
import { placesIn } from '../file-ref.ts'
import type { JobEntry } from '../job/manifest.ts'
import type { FileUse } from '../redis/file-index.ts'
import { flowId, flowToken } from './flow-id.ts'
import { RawPayload } from './raw-payload.ts'

const FATES: Record<OnFail, keyof JobsOptions> = {
  'fail-parent': 'failParentOnFailure',
  ignore: 'ignoreDependencyOnFailure',
  remove: 'removeDependencyOnFailure',
  continue: 'continueParentOnFailure',
}

/** What is known of the jobs of a flow. Throws JOB_UNKNOWN for a name that is not. */
export type EntryOf = (name: string) => Pick<JobEntry, 'queue'> & Partial<JobEntry>

/** An id that somebody chose. */
export interface Chosen {
  id: string
  queue: string
  isRoot: boolean
}

export interface FlowPlan {
  job: FlowJob
  ids: FlowIds
  /** Keys of the jobs whose ids were chosen. */
  chosen: Map<string, Chosen>
  /** Stored files that payloads refer to. */
  files: FileUse[]
}

export function flowPlan(flow: CheckedFlow, entryOf: EntryOf, prefix: string): FlowPlan {
  const token = flowToken()
  const chosen = new Map<string, Chosen>()
  const files: FileUse[] = []
  let place = 0
  const plan = (checked: CheckedFlow): Pick<FlowPlan, 'job' | 'ids'> => {
    const { name, payload, options, onFail = 'fail-parent', children } = checked
    const isRoot = place === 0
    const entry = entryOf(name)
    const queue = options.queue ?? entry.queue
    const id = options.id ?? flowId({ name, place }, token)
    place++
    if (options.id !== undefined) chosen.set(`${prefix}:${queue}:${id}`, { id, queue, isRoot })
    files.push(...placesIn(payload).map(at => ({ place: at, queue, id })))
    const opts = { ...toJobsOptions(entry, options), jobId: id, ...(!isRoot && { [FATES[onFail]]: true }) }
    const planned = children.map(plan)
    const job: FlowJob = {
      name,
      queueName: queue,
      data: new RawPayload(payload),
      opts,
      ...(planned.length > 0 && { children: planned.map(child => child.job as never) }),
    }
    const ids: FlowIds = { id, children: planned.map(child => child.ids) }
    return { job, ids }
  }
  return { ...plan(flow), chosen, files }
}

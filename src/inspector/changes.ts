/** What can be done to one job by its id: its payload is not read for that. */
import { ErrorCode, Job, type Queue } from 'bullmq'
import type { Changed } from './bulk.ts'

/** It waits again, with all its attempts. */
export function retryJob(
  queue: Queue,
  id: string,
  state: 'failed' | 'completed' = 'failed',
): Promise<Changed> {
  return changed(new Job(queue, '', {}, {}, id).retry(state, { resetAttemptsMade: true }))
}

/** It is due now. */
export function promoteJob(queue: Queue, id: string): Promise<Changed> {
  return changed(new Job(queue, '', {}, {}, id).promote())
}

/** What BullMQ's scripts answer when somebody else was faster. */
const GONE = new Set<unknown>([ErrorCode.JobNotExist, ErrorCode.JobNotInState])

async function changed(change: Promise<unknown>): Promise<Changed> {
  try {
    await change
    return {}
  } catch (error) {
    if (GONE.has((error as { code?: unknown }).code)) return { gone: true }
    throw error
  }
}

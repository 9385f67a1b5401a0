/** What can be done to one job by its id: its payload is not read for that. */
import { ErrorCode, Job, type Queue } from 'bullmq'
import { RunnerError } from '../errors.ts'
import type { Client } from '../redis/client.ts'
import { claimJob, giveBack } from '../redis/job-claim.ts'
import type { Changed } from './bulk.ts'
import { STATES, type State } from './state.ts'

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

/** With its logs and children. Rejects when it is the next one of a scheduler, or a child of it runs. */
export async function removeJob(client: Client, queue: Queue, id: string, state: State): Promise<Changed> {
  for (const { key, kind } of STATES[state]) {
    const place = { base: queue.toKey(''), key, kind }
    const claim = await claimJob(client, id, place)
    if (claim === 'gone') continue
    if (claim === 'scheduled')
      throw new RunnerError('JOB_STATE_WRONG', 'it is the next one of a schedule', {
        hint: 'runner schedules remove',
      })
    if (claim !== 'locked') {
      if ((await queue.remove(id)) === 1) return {}
      await giveBack(client, id, place, claim)
    }
    throw new RunnerError('JOB_STATE_WRONG', 'it is running, or a child of it is', {
      hint: 'runner jobs cancel ends what runs',
    })
  }
  return { gone: true }
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

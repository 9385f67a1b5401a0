/** What BullMQ's scripts answer when somebody else was faster. */
import { ErrorCode } from 'bullmq'
import type { Changed } from '../../inspector/bulk.ts'

const GONE = new Set<unknown>([ErrorCode.JobNotExist, ErrorCode.JobNotInState])

export async function goneOr(change: Promise<unknown>): Promise<Changed> {
  try {
    await change
    return {}
  } catch (error) {
    if (GONE.has((error as { code?: unknown }).code)) return { gone: true }
    throw error
  }
}

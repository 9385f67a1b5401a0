/** What a replica owes to schedules, beside its work: never waited for, and nothing of it is imported where there are none. */
import { RunnerError, messageOf } from '../errors.ts'
import type { StartedReplica } from './schedules/at-start.ts'

/** `doubt`: a warning where Redis lacks some; `apply`: they are put there. */
export type ScheduleDuty = 'doubt' | 'apply'

/** Never rejects. */
export async function seeToSchedules(duty: ScheduleDuty, replica: StartedReplica): Promise<void> {
  const { config, jobs, warn } = replica
  const isAny =
    jobs.some(({ schedule }) => schedule !== undefined) || Object.keys(config.schedules).length > 0
  // A private server may still have those of yesterday's files.
  if (!isAny && !(duty === 'apply' && replica.redis.embedded)) return
  try {
    const { applySchedules, doubtSchedules } = await import('./schedules/at-start.ts')
    await (duty === 'apply' ? applySchedules : doubtSchedules)(replica)
  } catch (error) {
    // Anything else is the end of its connection: it stops already, or Redis is away, which others say.
    if (duty === 'apply' || error instanceof RunnerError) warn(`schedules: ${messageOf(error)}`)
  }
}

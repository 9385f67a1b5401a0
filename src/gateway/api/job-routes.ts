/** `/v1/jobs/{queue}/{id}`: one job, looked at and cancelled. */
import type { Context } from 'hono'
import { RunnerError } from '../../errors.ts'
import { Cancellations } from '../../fleet/cancellation.ts'
import { detailsOf, type JobDetails } from '../../inspector/details.ts'
import { callerOf } from '../caller.ts'
import { within } from '../patience.ts'
import { requireQueueName } from '../queue-name.ts'
import type { Reached } from '../reach.ts'
import { requestIdOf } from '../request-id.ts'
import type { ApiParts } from './parts.ts'
import { readQuery } from './query.ts'
import { cancelQuery } from './schemas.ts'

/** Milliseconds. */
const READ_MS = 10_000

export interface FoundJob {
  reached: Reached
  job: JobDetails
}

/** The job that the path names. Throws QUEUE_UNKNOWN, JOB_NOT_FOUND, REDIS_UNREACHABLE. */
export async function findJob({ config, reach }: ApiParts, c: Context): Promise<FoundJob> {
  const queue = requireQueueName(c.req.param('queue') ?? '')
  const id = c.req.param('id') ?? ''
  const reached = await reach.now()
  const look = async () => {
    await reached.inspector.queueOf(id, [queue])
    return detailsOf(reached.inspector, queue, id, config.redact)
  }
  return { reached, job: await within(READ_MS, look(), () => reached.silent(READ_MS)) }
}

export const jobRoute =
  (parts: ApiParts) =>
  async (c: Context): Promise<Response> =>
    c.json((await findJob(parts, c)).job)

/** Answers when it is confirmed: by the replica that ran it, or by the mark in Redis. */
export const cancelRoute = (parts: ApiParts) => async (c: Context) => {
  const { name: caller } = callerOf(c)
  const { reason = `by token ${caller}` } = readQuery(c, cancelQuery)
  const { reached, job } = await findJob(parts, c)
  const { queue, id, state } = job
  const cancellations = new Cancellations(reached.operator, reached.client, reason)
  const over = state === 'completed' || state === 'failed'
  const done = over
    ? ({ how: 'gone' } as const)
    : await cancellations.cancel(reached.inspector.queue(queue), id)
  if (done.how === 'gone')
    throw new RunnerError('JOB_STATE_WRONG', `job ${id} of queue ${queue} is over`, {
      hint: 'GET says how it ended; what is done cannot be cancelled',
    })
  parts.onChange({ request: requestIdOf(c), caller, change: 'cancelled', queue, job: job.name, id })
  return c.json(done)
}

/** A job whose name this replica has no handler for: during a rolling deployment another replica may have it. */
import { DelayedError, UnrecoverableError } from 'bullmq'
import { NoHandlerError } from '../errors.ts'
import type { Events } from '../observe/events.ts'
import type { FleetJob } from './fleet-job.ts'
import type { Registration } from './registration.ts'

/** How long the job is kept out of this replica's reach, in milliseconds, growing with every start up to the last. */
const PUT_BACK = [250, 500, 1_000, 2_000, 5_000]

/** Names that fit into a message. */
const SHOWN = 20

/**
 * Puts the job back without using an attempt while another live replica takes its queue and knows its name;
 * otherwise fails it. Always rejects: with DelayedError, or UnrecoverableError with NoHandlerError's message.
 */
export async function refuseUnknown(
  job: FleetJob,
  token: string,
  known: string[],
  registration: Registration,
  events: Events,
): Promise<never> {
  const ref = { queue: job.queueName, job: job.name, id: job.id }
  if (await registration.elsewhere(job.queueName, job.name)) {
    const delay = PUT_BACK[Math.min(job.attemptsStarted, PUT_BACK.length) - 1] ?? 0
    await job.moveToDelayed(Date.now() + delay, token)
    events.emit('job.unknown', { ...ref, putBack: true })
    throw new DelayedError()
  }
  events.emit('job.unknown', { ...ref, putBack: false })
  const names = known.sort().slice(0, SHOWN).join(', ')
  const more = known.length > SHOWN ? ` and ${known.length - SHOWN} more` : ''
  const { name, message } = new NoHandlerError(
    `no replica on queue ${job.queueName} has a handler named ${job.name}; known here: ${names}${more}`,
  )
  throw new UnrecoverableError(`${name}: ${message}`)
}

/** Adds one job, and tells whether it is new: BullMQ answers with an id alike when it ignored the add. */
import { isDeepStrictEqual } from 'node:util'
import type { Queue } from 'bullmq'
import type { StoredOptions } from '../job/enqueue-options.ts'
import { keepFilesOf } from '../redis/file-uses.ts'

export interface Addition {
  id: string
  /** Of the job that has this id: another one's, perhaps, when nothing was added. */
  name: string
  /** False: an earlier job has this id, or this deduplication id, and nothing was added. */
  added: boolean
}

/**
 * The files of the payload are known to be used before the job is there.
 *
 * Only an id that was chosen, or a deduplication id, can be that of an earlier job: else nothing is looked up.
 */
export async function addJob(
  queue: Queue,
  name: string,
  payload: unknown,
  options: StoredOptions,
): Promise<Addition> {
  const json = JSON.stringify(payload) ?? ''
  const jobId = await keepFilesOf(queue, { json, id: options.jobId })
  const job = await queue.add(name, payload, jobId === undefined ? options : { ...options, jobId })
  const id = job.id!
  if (options.jobId === undefined && options.deduplication === undefined) return { id, name, added: true }
  const stored = await queue.getJob(id)
  // Gone already: it was run and is not kept. One that BullMQ ignores an add for is there.
  if (stored === undefined) return { id, name, added: true }
  const isOurs =
    stored.timestamp === job.timestamp &&
    stored.name === name &&
    isDeepStrictEqual(stored.data, JSON.parse(json))
  return { id, name: stored.name, added: isOurs }
}

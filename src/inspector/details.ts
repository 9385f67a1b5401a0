/** All that Redis has of one job. */
import type { Job, ParentKeys } from 'bullmq'
import { RunnerError } from '../errors.ts'
import { Redaction } from '../job/redaction.ts'
import { CHECKPOINT, CRASHES, stepOf } from '../redis/job-fields.ts'
import type { Inspector } from './inspector.ts'
import { jsonOr, rowsOf, type JobRow } from './row.ts'
import type { State } from './state.ts'

export interface JobDetails extends JobRow {
  /** Payload and result, with what is redacted hidden. */
  data: unknown
  result?: unknown
  opts: Record<string, unknown>
  /** Of the attempts that failed, oldest first. */
  stacktrace: string[]
  /** Lines of its log. */
  logs: number
  parent?: { queue: string; id: string }
  checkpoint?: unknown
  /** Names of the steps that are done. */
  steps: string[]
  /** Executors that it took down. */
  crashes: number
}

export async function detailsOf(
  inspector: Inspector,
  queue: string,
  id: string,
  redact: readonly string[],
): Promise<JobDetails> {
  const bull = inspector.queue(queue)
  const base = inspector.baseOf(queue)
  const [job, state, fields, logs] = await Promise.all([
    bull.getJob(id) as Promise<Job | undefined>,
    bull.getJobState(id),
    inspector.client.hgetall(base + id),
    inspector.client.llen(`${base}${id}:logs`),
  ])
  const [row] = await rowsOf(inspector.client, { queue, base, state: state as State }, [id])
  if (job === undefined || row === undefined)
    throw new RunnerError('JOB_NOT_FOUND', `job ${id} of queue ${queue} is gone`)
  const redaction = new Redaction(redact)
  const { parent, returnvalue, stacktrace } = job
  const checkpoint = fields[CHECKPOINT]
  const { progress } = row
  return {
    ...row,
    data: redaction.apply(job.data as unknown),
    ...(fields['returnvalue'] === undefined ? {} : { result: redaction.apply(returnvalue as unknown) }),
    opts: job.opts as Record<string, unknown>,
    stacktrace: stacktrace ?? [],
    logs,
    ...(parent === undefined ? {} : { parent: parentOf(parent) }),
    ...(progress === undefined ? {} : { progress: redaction.apply(progress) }),
    ...(checkpoint === undefined ? {} : { checkpoint: redaction.apply(jsonOr(checkpoint)) }),
    steps: Object.keys(fields).flatMap(field => stepOf(field) ?? []),
    crashes: Number(fields[CRASHES] ?? 0),
  }
}

/** `queueKey` is `bull:mail`. No queue name contains ":". */
function parentOf({ id = '', queueKey }: ParentKeys): { queue: string; id: string } {
  return { id, queue: queueKey.slice(queueKey.lastIndexOf(':') + 1) }
}

/**
 * One BullMQ `Worker` per queue. It runs in the supervisor, owns the locks and the outcomes, and hands every job to
 * `process`, which gives it to an executor. Three documented seams of BullMQ are used, nothing else:
 * `createJob` (payload stays text), the backend factory (result stays text), the processor.
 */
import {
  createRedisBackend,
  Worker,
  type Job,
  type JobJson,
  type RedisQueueBackend,
  type WorkerOptions,
} from 'bullmq'
import { FleetJob, type RawResult } from './fleet-job.ts'

export type ProcessJob = (job: FleetJob, token: string) => Promise<RawResult>

export class FleetWorker extends Worker {
  constructor(queue: string, process: ProcessJob, options: WorkerOptions) {
    super(queue, (job, token) => process(job as FleetJob, token ?? ''), options, rawBackend)
  }

  protected override createJob(json: JobJson, id: string): Job {
    return FleetJob.read(this, json, id)
  }

  /**
   * Leaves without taking a job along: the blocking connection is cut first, and the main loop ends before the
   * others close, so that no job is fetched by a worker that is gone. Must be paused and hold no job.
   */
  async leave(): Promise<void> {
    await this.backend.disconnectBlocking(true)
    await this.mainLoopRunning
    await this.close(true)
  }
}

/** BullMQ's Redis backend, with results written as the JSON text they already are. */
const rawBackend = (...[name, options, kind]: Parameters<typeof createRedisBackend>): RedisQueueBackend => {
  const backend = createRedisBackend(name, options, kind)
  backend.moveToCompleted = async (job, result, removeOnComplete, token, fetchNext) => {
    const json = (result as unknown as RawResult).json ?? 'null'
    const args = backend.moveToCompletedArgs(job, json as never, removeOnComplete, token, fetchNext)
    const next = await backend.moveToFinished(job.id as string, args)
    return { result: next as never, finishedOn: args[backend.moveToFinishedKeys.length + 1] as number }
  }
  return backend
}

/**
 * Jobs that take executors down: the third time, such a job fails for good and goes into quarantine, where it is kept,
 * whatever its queue keeps of failed jobs, until `runner jobs release`. So does one that BullMQ fails because replicas
 * died under it (`--max-stalled`).
 */
import type { Cluster, Redis } from 'ioredis'
import { CrashLoopError } from '../errors.ts'
import { addCrash, crashesOf } from '../redis/crash-count.ts'
import { Quarantine, type Quarantined } from '../redis/quarantine.ts'
import type { FleetJob } from './fleet-job.ts'
import type { Failure } from './protocol.ts'

/** Executors that may die under one job before it is failed for good. */
const CRASHES_ALLOWED = 3

/** Codes of failures that cost an executor. A timeout is none of them: it is a limit of the job's own. */
const COSTLY = new Set(['JOB_CRASHED', 'JOB_BLOCKED'])

/** Of BullMQ's sweep (moveStalledJobsToWait). */
const STALLED = /^job stalled more than/

export class CrashLoop {
  readonly #client: Redis | Cluster
  readonly #quarantine: Quarantine

  constructor(client: Redis | Cluster, prefix: string) {
    this.#client = client
    this.#quarantine = new Quarantine(client, prefix)
  }

  /** It was in an executor that died, and nobody can tell whose fault it was. */
  async suspect(job: FleetJob): Promise<void> {
    await addCrash(this.#client, job.key)
  }

  /**
   * Crashes counted so far, and the failure that they are, when they are too many. A round trip. `endless`: they never
   * are, since the job itself finds out what it dies of.
   */
  async look(job: FleetJob, endless = false): Promise<{ crashes: number; failure?: Failure }> {
    const crashes = await crashesOf(this.#client, job.key)
    return endless || crashes < CRASHES_ALLOWED
      ? { crashes }
      : { crashes, failure: await this.#end(job, crashes) }
  }

  /** Counts a failure that cost an executor. The failure for good, when it is one too many. */
  async count(job: FleetJob, failure: Failure, endless = false): Promise<Failure | undefined> {
    if (!COSTLY.has(failure.code ?? '')) return undefined
    const crashes = await addCrash(this.#client, job.key)
    return endless || crashes < CRASHES_ALLOWED ? undefined : this.#end(job, crashes, failure)
  }

  /** BullMQ is about to fail it: so many replicas died under it, or a child of its failed, which concerns nobody here. */
  async onDeferred(job: FleetJob): Promise<void> {
    const reason = job.deferredFailure ?? ''
    if (STALLED.test(reason)) await this.#put(job, { cause: 'replica lost', reason, crashes: 0 })
  }

  async #end(job: FleetJob, crashes: number, last?: Failure): Promise<Failure> {
    const how = last === undefined ? '' : `; the last time it ${last.message}`
    const error = new CrashLoopError(`${job.name} took down ${crashes} executors${how}`)
    const failure: Failure = { kind: 'error', name: error.name, code: error.code, message: error.message }
    if (last?.stack !== undefined) failure.stack = last.stack
    const cause = last?.code === 'JOB_BLOCKED' ? 'blocked' : (last?.cause ?? 'exit')
    await this.#put(job, { cause, reason: last?.message ?? error.message, crashes, stack: last?.stack })
    return failure
  }

  async #put(
    job: FleetJob,
    { stack, ...rest }: Pick<Quarantined, 'cause' | 'reason' | 'crashes'> & { stack?: string | undefined },
  ): Promise<void> {
    await this.#quarantine.put({
      queue: job.queueName,
      id: job.id,
      job: job.name,
      ...rest,
      ...(stack === undefined ? {} : { stack }),
      peakRss: process.resourceUsage().maxRSS * 1024,
      at: Date.now(),
    })
    // Its queue may keep few failed jobs, or none; what cannot be looked at cannot be released.
    job.opts.removeOnFail = false
  }
}

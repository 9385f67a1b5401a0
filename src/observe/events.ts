/** Everything a replica reports, in one vocabulary. Logs, metrics and tests only listen. */
import { EventEmitter } from 'node:events'

interface JobRef {
  queue: string
  job: string
  id: string
}

export interface FleetEvents {
  'fleet.started': [
    {
      replica: string
      queues: Record<string, number>
      jobs: number
      executors: number
      isolation: string
      redis: string
    },
  ]
  'fleet.quiet': [{ running: number }]
  'fleet.resumed': []
  'fleet.reloaded': [{ jobs: number; broken: number }]
  /** `grace` in milliseconds; absent when it waits for what runs, however long. */
  'fleet.stopping': [{ reason: string; running: number; grace?: number }]
  'fleet.stopped': [
    { reason: string; completed: number; failed: number; handedBack: number; superseded: number },
  ]
  'job.completed': [JobRef & { attempt: number; ms: number }]
  'job.failed': [JobRef & { attempt: number; ms: number; error: string; code?: string }]
  'job.delayed': [JobRef & { kind: 'retry' | 'snooze'; delay: number }]
  'job.handed-back': [JobRef & { reason: string }]
  'job.timed-out': [JobRef & { timeout: number }]
  /**
   * A handler holds its event loop, and has for `ms` milliseconds. `candidates` instead of the job where it cannot be
   * told: it is inside native code with other jobs beside it. Repeated when more is known. `stack` as of an Error,
   * `where` in words.
   */
  'job.blocked': [
    Partial<JobRef> & {
      candidates?: string[]
      executor: number
      ms: number
      where: string
      stack?: string
      note?: string
    },
  ]
  /** It no longer does; it did for `ms` in all. */
  'job.unblocked': [JobRef & { executor: number; ms: number }]
  /** Runs of this job get an executor of their own from now on, in every replica: it was caught blocking for `ms`. */
  'job.solo': [{ job: string; where: string; ms: number; hint: string }]
  /** They share executors again. */
  'job.pardoned': [{ job: string }]
  /** Somebody else started it again, or it was removed: this run, of that fence, may not write any more. */
  'job.superseded': [JobRef & { fence: number; reason: string }]
  /** Locks of this queue last so long from now on, in milliseconds: `--lock-duration auto`. */
  'queue.lock-duration': [{ queue: string; lockDuration: number; stalledInterval: number }]
  'job.unknown': [JobRef & { putBack: boolean }]
  'job.file-broken': [{ file: string; code: string; message: string }]
  /** It is inside native code that does not return; `abandoned` such executors there are now. */
  'executor.abandoned': [{ executor: number; abandoned: number }]
  /** A new one takes its place after `served` jobs; what it holds (`running`) it finishes first. */
  'executor.recycled': [{ executor: number; reason: string; served: number; running: string[] }]
  'executor.ended': [{ executor: number; reason: string; culprit?: string; handedBack: number }]
  /** A run is settled and forgotten; so many are left. For whoever waits, not for logs. */
  'run.ended': [number]
  /** Probes and metrics are answered there. */
  'http.listening': [{ url: string }]
  'worker.error': [{ queue: string; message: string }]
  /** Redis refuses (`readonly`, `noperm`, `misconf`, `oom` ...), or cannot be had (`connection`, `timeout`). Often. */
  'redis.error': [{ queue: string; kind: string; message: string }]
  /** It has not answered a question for `ms` milliseconds. */
  'redis.silent': [{ ms: number }]
  /** It answers again, after `ms` in all. */
  'redis.answers': [{ ms: number }]
  /** What probes are told from now on. `queue`: which one is the reason, where one is. */
  'verdict.changed': [{ verdict: string; was: string; why: string; queue?: string }]
  /** The liveness probe fails from now on. */
  'replica.wedged': [{ why: string; queue?: string }]
  /** It had fetched nothing for `ms`: another takes its place; `running` jobs finish on the old one, which keeps their locks. */
  'worker.recreated': [{ queue: string; ms: number; waiting: number; running: number }]
}

export class Events extends EventEmitter<FleetEvents> {}

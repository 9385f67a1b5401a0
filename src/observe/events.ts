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
  /** `final`: no attempt is left, or trying again cannot mend it. */
  'job.failed': [JobRef & { attempt: number; ms: number; error: string; code?: string; final: boolean }]
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
  /** Its lock had run out, nobody had started it since, and the lock was taken back: the run of that fence goes on. */
  'job.reclaimed': [JobRef & { fence: number }]
  /** It had no lock when this replica looked: whoever ran it is gone, and it waits in its queue again. */
  'job.stalled': [{ queue: string; id: string }]
  /** Locks of this queue last so long from now on, in milliseconds: `--lock-duration auto`. */
  'queue.lock-duration': [{ queue: string; lockDuration: number; stalledInterval: number }]
  'job.unknown': [JobRef & { putBack: boolean }]
  'job.file-broken': [{ file: string; code: string; message: string }]
  /** It is inside native code that does not return; `abandoned` such executors there are now. */
  'executor.abandoned': [{ executor: number; abandoned: number }]
  /** A new one takes its place after `served` jobs; what it holds (`running`) it finishes first. */
  'executor.recycled': [{ executor: number; reason: string; served: number; running: string[] }]
  /** `cause`: the reason as one word of few. */
  'executor.ended': [
    { executor: number; cause: ExecutorEndCause; reason: string; culprit?: string; handedBack: number },
  ]
  /** Probes and metrics are answered there. */
  'http.listening': [{ url: string }]
  /** Somebody pressed a button of the dashboard: `by` names the token. */
  'dashboard.acted': [{ by: string; what: string; said: string; ok: boolean }]
  /** Who has changed what over HTTP: `caller` is the name of a token, `request` the id that its answer carries. */
  'api.changed': [
    {
      request: string
      caller: string
      change: 'enqueued' | 'cancelled'
      queue: string
      job: string
      id: string
    },
  ]
  /** A request met a fault of this process. `stack` where there is one. */
  'api.fault': [{ request: string; message: string; stack?: string }]
  /** `runner serve` was told to stop; so many requests run, and may go on for `grace` milliseconds. */
  'http.stopping': [{ running: number; grace: number }]
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
  /** It has a place among those that are received. `token`: the name of who sends it; `bytes`: what was announced, if so. */
  'upload.started': [{ token: string; bytes?: number }]
  /** All its files are in the store. `bytes`: of the request. */
  'upload.stored': [{ token: string; files: number; bytes: number; ms: number }]
  /** Answered with `status`, and nothing of it is in the store. `bytes`: as far as it was read. */
  'upload.refused': [{ token: string; reason: UploadRefusal; status: number; detail: string; bytes: number }]
  /** Its client is gone, or this process stops: nobody is answered, or 503; nothing of it is in the store. */
  'upload.aborted': [{ token: string; reason: UploadRefusal; detail: string; bytes: number }]
  /** It was stored, no job came of it, and so its files are removed again. */
  'upload.discarded': [{ token: string; files: number }]

  // For metrics and for whoever waits, not for logs: there are many.

  /**
   * It was given to an executor. `wait`: milliseconds since it could have been, known of a job that is started for the
   * first time.
   */
  'run.started': [{ queue: string; job: string; wait: number | undefined }]
  /** A run is settled and forgotten; so many are left. */
  'run.ended': [number]
  /** One turn of the renewals of a queue. Milliseconds: how late it was, and of the command if there was a lock. */
  'locks.renewed': [{ queue: string; delay: number; roundTrip: number | undefined }]
  /** The event loop of an executor has turned again, after so many milliseconds. */
  'executor.turned': [number]
  /**
   * A slice of a migration has committed so many rows since it last told, `batch` of them in the last of its
   * transactions; or it has looked, and has to wait.
   */
  'migration.progressed': [{ job: string; rows: number; batch?: number; held?: HoldReason }]
}

/** Those of which a log has no line. */
export type SilentEvent =
  | 'run.started'
  | 'run.ended'
  | 'locks.renewed'
  | 'executor.turned'
  | 'migration.progressed'

/**
 * Why an executor ended. By itself: an uncaught error, process.exit, out of memory, a signal from outside, or a failure
 * of Node. By the supervisor: beyond a timeout, the block limit or a cancel, otherwise `ended`; `abandoned`, where it
 * did not go.
 */
export const END_CAUSES = [
  'uncaught',
  'exit',
  'memory',
  'signal',
  'error',
  'timeout',
  'blocked',
  'cancelled',
  'ended',
  'abandoned',
] as const

export type ExecutorEndCause = (typeof END_CAUSES)[number]

/** What makes a migration wait: a signal of its throttle, by its kind; `other` is one of the author's own. */
export const HOLD_REASONS = ['replica_lag', 'query', 'http', 'other'] as const

type HoldReason = (typeof HOLD_REASONS)[number]

/** Why an upload is not taken, or not to its end. docs/uploads.md says what each means. */
export const UPLOAD_REFUSALS = [
  'media_type',
  'encoding',
  'malformed',
  'truncated',
  'field',
  'file_type',
  'checksum',
  'too_large',
  'too_many',
  'slow',
  'busy',
  'store',
  'stopping',
  'client_gone',
  'internal',
] as const

export type UploadRefusal = (typeof UPLOAD_REFUSALS)[number]

export class Events extends EventEmitter<FleetEvents> {}

/**
 * Every error this package raises on purpose: its code, the exit code a command ends with, and what the
 * runtime does when a job meets it. `docs/errors.md` repeats this table and a test holds the two together.
 *
 * A `RunnerError` is for people: `message` names the thing and the value, `hint` says the fix. Anything that
 * is not a `RunnerError` is a bug or an outage and ends a command with exit code 1.
 */

/** Exit codes of the `runner` binary. */
export const EXIT = {
  ok: 0,
  runtime: 1,
  usage: 2,
  partial: 3,
  redis: 4,
  jobFailed: 5,
  notFound: 6,
  waitTimeout: 7,
  recycled: 12,
  noReplica: 69,
  handedBack: 75,
  forced: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** code -> [exit code, what the runtime does]. Codes are never reused for another meaning. */
export const ERRORS = {
  USAGE: [EXIT.usage, 'the command refuses to start'],
  CONFIG_INVALID: [EXIT.usage, 'the command refuses to start'],
  NODE_TOO_OLD: [EXIT.usage, 'the binary refuses to start'],
  JOBS_BROKEN: [EXIT.usage, '`work` refuses to start, unless --allow-broken; `schedules` changes nothing'],
  JOB_DUPLICATE: [EXIT.usage, 'neither file is loaded'],
  JOB_FILE_INVALID: [EXIT.usage, 'the file is not loaded'],
  JOB_NO_DEFAULT_EXPORT: [EXIT.usage, 'the file is not loaded'],
  JOB_IMPORT_FAILED: [EXIT.usage, 'the file is not loaded'],
  JOB_OPTION_INVALID: [EXIT.usage, 'the file is not loaded'],
  JOB_SCHEMA_UNSERIALISABLE: [EXIT.usage, 'the file is not loaded'],
  NEST_APP_FAILED: [EXIT.usage, 'no handler of the application is loaded'],
  NEST_QUEUE_CONTESTED: [
    EXIT.usage,
    'no handler of the application is loaded, and none of its workers is started',
  ],
  JOB_UNKNOWN: [EXIT.notFound, 'nothing is enqueued'],
  ARGS_INVALID: [EXIT.usage, 'nothing is enqueued; in a worker the job fails and is not retried'],
  FLOW_INVALID: [EXIT.usage, 'none of its jobs is enqueued'],
  FLOW_ID_TAKEN: [EXIT.usage, 'none of its jobs is enqueued'],
  FILE_EXISTS: [EXIT.usage, 'nothing is written'],
  MANIFEST_INVALID: [EXIT.usage, 'the command ends'],
  REDIS_UNREACHABLE: [EXIT.redis, 'the command ends; `serve` tries again until it is told to stop'],
  REDIS_UNSUITABLE: [EXIT.redis, 'the command ends'],
  REDIS_FORBIDDEN: [EXIT.redis, 'the command ends'],
  REDIS_SERVER_MISSING: [EXIT.redis, 'the command ends'],
  REDIS_SERVER_FAILED: [EXIT.redis, 'the command ends'],
  FILE_MISSING: [EXIT.jobFailed, 'the call of the handler rejects; attempts and backoff apply'],
  FILE_CHANGED: [EXIT.jobFailed, 'the stream of the handler ends with it; attempts and backoff apply'],
  FILE_REFUSED: [EXIT.usage, 'nothing is stored and nothing is enqueued'],
  STORE_FAILED: [EXIT.runtime, 'nothing is enqueued; `serve` answers 503'],
  HTTP_UNAVAILABLE: [EXIT.runtime, 'the command ends'],
  PROBE_FAILED: [EXIT.runtime, 'the command ends; an orchestrator counts a failed probe'],
  DATABASE_UNREACHABLE: [EXIT.runtime, 'the command ends; a slice of a migration is tried again'],
  MIGRATION_UNKNOWN: [EXIT.notFound, 'nothing is changed'],
  MIGRATION_FAILED: [EXIT.jobFailed, 'the run stops; `enqueue` resumes it where it stopped'],
  MIGRATION_FENCED: [EXIT.jobFailed, 'the batch is rolled back: another slice has the shard'],
  JOB_FAILED: [EXIT.jobFailed, '`enqueue --wait` ends'],
  JOB_NOT_FOUND: [EXIT.notFound, 'nothing is changed'],
  QUEUE_UNKNOWN: [EXIT.notFound, 'nothing is changed'],
  JOB_STATE_WRONG: [EXIT.runtime, 'nothing is changed'],
  REPLICA_UNKNOWN: [EXIT.notFound, 'nothing is changed'],
  NO_REPLICA_ANSWERED: [EXIT.noReplica, 'the command ends; a replica that hears of it too late does nothing'],
  SCHEDULE_UNKNOWN: [EXIT.notFound, 'nothing is changed'],
  SCHEDULE_TAKEN: [EXIT.runtime, 'the schedule stays as it is; those applied before it are applied'],
  WAIT_TIMEOUT: [EXIT.waitTimeout, '`enqueue --wait` ends; the job goes on'],
  JOB_TIMEOUT: [EXIT.jobFailed, 'the job fails; attempts and backoff apply'],
  JOB_BLOCKED: [EXIT.jobFailed, 'the job fails; attempts and backoff apply'],
  JOB_SUPERSEDED: [
    EXIT.jobFailed,
    'a write of the older run is refused, its signal aborts, its executor ends; the newer run decides',
  ],
  JOB_CRASHED: [EXIT.jobFailed, 'the job fails; attempts and backoff apply'],
  JOB_CRASH_LOOP: [EXIT.jobFailed, 'the job fails and is not retried'],
  JOB_CANCELLED: [EXIT.jobFailed, 'the job fails and is not retried'],
  JOB_RESULT_INVALID: [EXIT.jobFailed, 'the job fails and is not retried'],
  CTX_OPTION_INVALID: [EXIT.jobFailed, 'the call of the handler rejects; attempts and backoff apply'],
  CTX_VALUE_INVALID: [EXIT.jobFailed, 'the call of the handler rejects and nothing is kept'],
  CTX_NAME_TAKEN: [EXIT.jobFailed, 'the call of the handler rejects; attempts and backoff apply'],
  JOB_EXECUTABLE_FAILED: [EXIT.jobFailed, 'the job fails; attempts and backoff apply'],
  NO_HANDLER: [EXIT.jobFailed, 'put back while another live replica knows the name, else the job fails'],
  EXECUTOR_BOOT_FAILED: [EXIT.runtime, 'the executor is started again; `work` ends if none ever starts'],
} as const satisfies Record<string, readonly [ExitCode, string]>

export type ErrorCode = keyof typeof ERRORS

export interface ErrorExtras {
  /** What to do about it, one line. */
  hint?: string
  /** Machine-readable particulars, JSON. */
  details?: unknown
  cause?: unknown
}

export class RunnerError extends Error {
  override name = 'RunnerError'
  readonly code: ErrorCode
  readonly hint?: string
  readonly details?: unknown

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(message, 'cause' in extras ? { cause: extras.cause } : undefined)
    this.code = code
    if (extras.hint !== undefined) this.hint = extras.hint
    if (extras.details !== undefined) this.details = extras.details
  }

  get exitCode(): ExitCode {
    return ERRORS[this.code][0]
  }
}

/** The handler ran longer than its `timeout`. The job fails; attempts and backoff apply. */
export class TimeoutError extends RunnerError {
  override name = 'TimeoutError'
  constructor(message: string, extras?: ErrorExtras) {
    super('JOB_TIMEOUT', message, extras)
  }
}

/** The handler held its event loop longer than its `block.limit`. Attempts and backoff apply. */
export class BlockedError extends RunnerError {
  override name = 'BlockedError'
  constructor(message: string, extras?: ErrorExtras) {
    super('JOB_BLOCKED', message, extras)
  }
}

/** Another replica started the job again, after a freeze or an outage: this run may not write, and its outcome counts for nothing. */
export class SupersededError extends RunnerError {
  override name = 'SupersededError'
  constructor(message: string, extras?: ErrorExtras) {
    super('JOB_SUPERSEDED', message, extras)
  }
}

/** The handler ended its executor (exit, out of memory, uncaught error, signal). Attempts and backoff apply. */
export class CrashError extends RunnerError {
  override name = 'CrashError'
  constructor(message: string, extras?: ErrorExtras) {
    super('JOB_CRASHED', message, extras)
  }
}

/** The job took down three executors. It fails for good. */
export class CrashLoopError extends RunnerError {
  override name = 'CrashLoopError'
  constructor(message: string, extras?: ErrorExtras) {
    super('JOB_CRASH_LOOP', message, extras)
  }
}

/** No replica knows a handler of the job's name. */
export class NoHandlerError extends RunnerError {
  override name = 'NoHandlerError'
  constructor(message: string, extras?: ErrorExtras) {
    super('NO_HANDLER', message, extras)
  }
}

/** The payload does not satisfy the job's schema. Retrying cannot help: the job fails for good. */
export class ArgsError extends RunnerError {
  override name = 'ArgsError'
  constructor(message: string, extras?: ErrorExtras) {
    super('ARGS_INVALID', message, extras)
  }
}

/** One line for a person: the message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/**
 * From how a run ended to what BullMQ does with the job. What is returned or thrown here is the answer of the
 * processor of the BullMQ worker:
 *
 * | outcome                         | answer             | BullMQ then                               |
 * |---------------------------------|--------------------|-------------------------------------------|
 * | done                            | RawResult          | completed                                 |
 * | failed, error                   | Error              | attempts and backoff, else failed         |
 * | failed, retry                   | Error, own backoff | delayed by that much if an attempt is left |
 * | failed, snooze                  | DelayedError       | nothing: it was moved here, unspent       |
 * | failed, cancel / unrecoverable  | UnrecoverableError | failed                                    |
 * | failed, error, shutdown's abort | WaitingError       | nothing: handed back here, unspent        |
 * | handed back                     | WaitingError       | nothing: handed back here, unspent        |
 * | any but done, of a cancelled run | UnrecoverableError | failed                                    |
 * | dropped                         | WaitingError       | nothing: the lock is somebody else's      |
 */
import { DelayedError, UnrecoverableError, WaitingError } from 'bullmq'
import { ERRORS, TimeoutError } from '../errors.ts'
import type { JobEntry } from '../job/manifest.ts'
import type { Events } from '../observe/events.ts'
import { formatMilliseconds } from '../units.ts'
import type { CrashLoop } from './crash-loop.ts'
import type { FleetJob } from './fleet-job.ts'
import { RawResult } from './fleet-job.ts'
import type { Failure } from './protocol.ts'
import type { Outcome, Run } from './run.ts'

/** Control errors of BullMQ: the job was moved already, by a sandbox processor or by us. */
export const MOVED = new Set(['DelayedError', 'WaitingError', 'WaitingChildrenError'])

export class Settlement {
  /** Jobs that had been started and went back to their queue, whether or not Redis could be told. */
  handedBack = 0
  readonly #crashes: CrashLoop
  readonly #events: Events

  constructor(crashes: CrashLoop, events: Events) {
    this.#crashes = crashes
    this.#events = events
  }

  /** Crashes counted against a job so far. Costs a round trip, so it is asked only for jobs that were started before. */
  async crashesOf(job: FleetJob, entry: JobEntry | undefined): Promise<number> {
    const { crashes, failure } = await this.#crashes.look(job, isEndless(entry))
    if (failure !== undefined) throw final(failure)
    return crashes
  }

  async settle(run: Run, outcome: Outcome): Promise<RawResult> {
    if (outcome.kind === 'done') return new RawResult(outcome.result)
    if (outcome.kind === 'dropped') throw new WaitingError(outcome.reason)
    if (run.cancelReason !== undefined && !isMoved(outcome)) throw final(cancelled(run.cancelReason))
    if (outcome.kind === 'handed-back') {
      if (outcome.crashed) await this.#crashes.suspect(run.job)
      return this.#handBack(run, outcome.reason)
    }
    if (run.aborted === 'shutdown' && !isWord(outcome.failure)) return this.#handBack(run, 'shutdown')
    if (run.aborted === 'superseded') throw new WaitingError('superseded')
    if (run.aborted === 'timeout') throw toError(timedOut(run))
    return this.#fail(run, outcome.failure)
  }

  async #handBack({ job, token }: Run, reason: string): Promise<never> {
    this.handedBack++
    return this.putBack(job, token, reason)
  }

  /** To the front of its queue; no attempt and no stall is used up. Rejects with WaitingError when it is there. */
  async putBack(job: FleetJob, token: string, reason: string): Promise<never> {
    await job.moveToWait(token)
    this.#events.emit('job.handed-back', { queue: job.queueName, job: job.name, id: job.id, reason })
    throw new WaitingError(reason)
  }

  async #fail({ job, token, entry }: Run, failure: Failure): Promise<never> {
    const ref = { queue: job.queueName, job: job.name, id: job.id }
    const delay = failure.delay ?? 0
    switch (failure.kind) {
      case 'snooze':
        await job.moveToDelayed(Date.now() + delay, token)
        this.#events.emit('job.delayed', { ...ref, kind: 'snooze', delay })
        throw new DelayedError()
      case 'retry':
        job.opts.backoff = { type: 'fixed', delay }
        this.#events.emit('job.delayed', { ...ref, kind: 'retry', delay })
        throw toError(failure)
      case 'cancel':
      case 'unrecoverable':
        throw final(failure)
      case 'error': {
        const loop = await this.#crashes.count(job, failure, isEndless(entry))
        if (loop !== undefined) throw final(loop)
        throw failure.final === true ? final(failure) : toError(failure)
      }
    }
  }
}

/** A slice of a migration finds the row that it dies of, and steps over it. */
function isEndless(entry: JobEntry | undefined): boolean {
  return entry?.kind === 'migration'
}

/** The failure of a run that went on beyond its timeout. */
export function timedOut({ job, entry }: Run): Failure {
  const error = new TimeoutError(
    `${job.name} ran longer than its timeout of ${formatMilliseconds(entry.timeout ?? 0)}`,
  )
  return { kind: 'error', name: error.name, code: error.code, message: error.message }
}

/** The failure of a run that somebody cancelled from outside. */
export function cancelled(reason: string): Failure {
  return { kind: 'cancel', name: 'CancelledError', code: 'JOB_CANCELLED', message: reason }
}

/** Errors of this package keep their name in `failedReason`, which is all that BullMQ stores besides the stack. */
function textOf({ name, message, code }: Failure): string {
  return code !== undefined && code in ERRORS && !message.startsWith(name) ? `${name}: ${message}` : message
}

function toError(failure: Failure): Error {
  const error = new Error(MOVED.has(failure.name) ? failure.message : textOf(failure))
  if (failure.stack !== undefined) error.stack = failure.stack
  return Object.assign(error, {
    name: failure.name,
    ...(failure.code === undefined ? {} : { code: failure.code }),
  })
}

function final(failure: Failure): Error {
  const error = new UnrecoverableError(
    failure.kind === 'cancel' ? `cancelled: ${failure.message}` : textOf(failure),
  )
  if (failure.stack !== undefined) error.stack = failure.stack
  const code = failure.code ?? (failure.kind === 'cancel' ? 'JOB_CANCELLED' : undefined)
  return Object.assign(error, code === undefined ? {} : { code })
}

/** A sandbox processor moved the job by itself: nothing is left to fail. */
function isMoved(outcome: Outcome): boolean {
  return outcome.kind === 'failed' && MOVED.has(outcome.failure.name)
}

/** Says on purpose what becomes of the job, so it is no mere effect of an abort. A job in MOVED is not ours any more. */
function isWord({ kind, name, final: refused }: Failure): boolean {
  return kind !== 'error' || MOVED.has(name) || name === 'UnrecoverableError' || refused === true
}

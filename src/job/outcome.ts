/**
 * What a handler may throw to say how its run ends. Everything else thrown means "failed".
 *
 * | thrown                | attempts used | the job is then                                   |
 * |-----------------------|---------------|---------------------------------------------------|
 * | (returned)            | 1             | completed, with the JSON of the value returned    |
 * | `Retry('5m')`         | 1             | delayed by that much, or failed if none are left  |
 * | `Snooze('1h')`        | 0             | delayed by that much                              |
 * | `Cancel('why')`       | 1             | failed for good, reason kept, error code JOB_CANCELLED |
 * | `Unrecoverable('why')`| 1             | failed for good                                   |
 * | anything else         | 1             | retried by `attempts` and `backoff`, else failed  |
 *
 * They are told apart by `name`, not by class, so that a second copy of this package in a project's
 * tree does no harm.
 */
import type { ErrorCode } from '../errors.ts'
import { milliseconds, type Duration } from '../units.ts'

/** Run again after `delay`, instead of the job's own backoff. Uses up an attempt. */
export class Retry extends Error {
  override name = 'Retry'
  readonly delay: number
  constructor(delay: Duration, options?: ErrorOptions & { reason?: string }) {
    super(options?.reason ?? `retry in ${delay}`, options)
    this.delay = milliseconds(delay)
  }
}

/** Run again after `delay` as if this run had not been. Uses up no attempt. */
export class Snooze extends Error {
  override name = 'Snooze'
  readonly delay: number
  constructor(delay: Duration) {
    super(`snooze for ${delay}`)
    this.delay = milliseconds(delay)
  }
}

/** End the job for good, on purpose. */
export class Cancel extends Error {
  override name = 'Cancel'
  readonly code = 'JOB_CANCELLED' satisfies ErrorCode
}

/** End the job for good: trying again cannot help. */
export class Unrecoverable extends Error {
  override name = 'Unrecoverable'
}

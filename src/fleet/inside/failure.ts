/** What a handler threw, as plain data that crosses to the supervisor. */
import type { Failure } from '../protocol.ts'

const OUTCOMES: Record<string, Failure['kind']> = {
  Retry: 'retry',
  Snooze: 'snooze',
  Cancel: 'cancel',
  Unrecoverable: 'unrecoverable',
}

/** Frames of this package and of Node say nothing to the author of a handler. */
const NOISE = /\n\s+at .*(?:\/fleet\/inside\/|node:internal\/|\(node:async_hooks).*/g

export function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof Error) && !isErrorLike(thrown)) {
    return { kind: 'error', name: 'Error', message: `threw ${typeof thrown}: ${text(thrown)}` }
  }
  const failure: Failure = {
    kind: OUTCOMES[thrown.name] ?? 'error',
    name: thrown.name,
    message: thrown.message,
  }
  if (thrown.stack !== undefined) failure.stack = stackOf(thrown)
  const { code, details, delay } = thrown as { code?: unknown; details?: unknown; delay?: unknown }
  if (typeof code === 'string') failure.code = code
  if (typeof delay === 'number') failure.delay = delay
  if (details !== undefined) failure.details = plain(details)
  return failure
}

function stackOf(error: { stack?: string; cause?: unknown }): string {
  const own = String(error.stack).replace(NOISE, '')
  const cause = error.cause
  return cause instanceof Error ? `${own}\nCaused by: ${stackOf(cause)}` : own
}

/** An error of another realm (vm, a second copy) is no instance of ours. */
function isErrorLike(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value && 'name' in value
}

function text(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}

function plain(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch {
    return undefined
  }
}

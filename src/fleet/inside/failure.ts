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

/** Causes of causes that a stack names: they may form a ring. */
const CAUSES = 8

/** Never throws: whatever a handler throws (a proxy, getters that throw) ends its run and not the executor. */
export function failureOf(thrown: unknown): Failure {
  try {
    return read(thrown)
  } catch (error) {
    const reason = error instanceof Error ? `: ${error.message}` : ''
    return {
      kind: 'error',
      name: 'Error',
      message: `threw something (${typeof thrown}) that cannot be read${reason}`,
    }
  }
}

function read(thrown: unknown): Failure {
  if (!(thrown instanceof Error) && !isErrorLike(thrown)) {
    return { kind: 'error', name: 'Error', message: `threw ${typeof thrown}: ${text(thrown)}` }
  }
  // Declared as strings, but anybody may set them to anything.
  const name = asText(thrown.name)
  const failure: Failure = {
    kind: (Object.hasOwn(OUTCOMES, name) ? OUTCOMES[name] : undefined) ?? 'error',
    name,
    message: asText(thrown.message),
  }
  const stack = stackOf(thrown)
  if (stack !== undefined) failure.stack = stack
  const { code, details, delay } = thrown as { code?: unknown; details?: unknown; delay?: unknown }
  if (typeof code === 'string') failure.code = code
  if (typeof delay === 'number') failure.delay = delay
  if (details !== undefined) failure.details = plain(details)
  return failure
}

function stackOf(error: { stack?: unknown; cause?: unknown }, depth = 0): string | undefined {
  try {
    if (typeof error.stack !== 'string') return undefined
    const own = error.stack.replace(NOISE, '')
    const cause = error.cause instanceof Error && depth < CAUSES ? stackOf(error.cause, depth + 1) : undefined
    return cause === undefined ? own : `${own}\nCaused by: ${cause}`
  } catch {
    // A getter of the handler's own: the message is what counts.
    return undefined
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : text(value)
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

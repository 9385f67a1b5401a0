/** A payload, and what flags set in it. */
import { RunnerError } from '../../errors.ts'
import { shorten } from '../../job/problem.ts'
import { Redaction } from '../../job/redaction.ts'

export interface Assignment {
  path: string[]
  value: unknown
}

/** A copy of `base` with every assignment made; objects on the way are made where there are none. */
export function applyFlags(
  base: unknown,
  assignments: readonly Assignment[],
  redact: readonly string[] = [],
): unknown {
  if (assignments.length === 0) return base
  if (!isObject(base)) {
    const shown = shorten(new Redaction(redact).apply(base))
    throw new RunnerError('USAGE', `flags set fields of an object, but --data is ${shown}`)
  }
  const payload = structuredClone(base)
  for (const { path, value } of assignments) setAt(payload, path, value)
  return payload
}

function setAt(payload: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = payload
  for (const key of path.slice(0, -1)) {
    const next = Object.hasOwn(at, key) ? at[key] : undefined
    at = isObject(next) ? next : define(at, key, {})
  }
  define(at, path.at(-1)!, value)
}

/** Never by assignment: `__proto__` becomes a plain key, and is then refused by the payload check. */
function define<T>(target: object, key: string, value: T): T {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
  return value
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

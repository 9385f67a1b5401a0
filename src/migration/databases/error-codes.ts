/** Codes of an error and of what it wraps: ORMs put the error of the driver into one of their own. */

/** Where they keep it. */
const WRAPPED = ['cause', 'driverError', 'previous', 'meta', 'driverAdapterError'] as const

export function codesOf(error: unknown, depth = 0): string[] {
  if (typeof error !== 'object' || error === null || depth > 6) return []
  const { code, originalCode } = error as { code?: unknown; originalCode?: unknown }
  const own = [code, originalCode].filter(one => typeof one === 'string')
  return [...own, ...WRAPPED.flatMap(name => codesOf((error as Record<string, unknown>)[name], depth + 1))]
}

/**
 * What of the API is to go. Within /v1 fields and routes are only added; what is replaced by something else still works
 * until the day that it says here, and tells so with every answer (RFC 9745, RFC 8594).
 */
import type { MiddlewareHandler } from 'hono'

interface Deprecated {
  method: string
  /** Of the path. */
  path: RegExp
  /** Milliseconds since the epoch: from when it is not to be used in what is new. */
  since: number
  /** And from when it is gone. */
  sunset: number
  /** Where it is said what to use instead. */
  link: string
  /** What takes its place. */
  successor?: string
}

/** None yet. */
const DEPRECATED: readonly Deprecated[] = []

export function deprecations(table: readonly Deprecated[] = DEPRECATED): MiddlewareHandler {
  return async (c, next) => {
    await next()
    const found = table.find(({ method, path }) => method === c.req.method && path.test(c.req.path))
    if (found === undefined) return
    const { since, sunset, link, successor } = found
    c.header('deprecation', `@${Math.floor(since / 1_000)}`)
    c.header('sunset', new Date(sunset).toUTCString())
    const later = successor === undefined ? '' : `, <${successor}>; rel="successor-version"`
    c.header('link', `<${link}>; rel="deprecation"; type="text/html"${later}`)
  }
}

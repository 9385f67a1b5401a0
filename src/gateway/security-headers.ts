/** What keeps a browser from taking an answer for something else. There is no CORS: no page of another origin is answered. */
import type { MiddlewareHandler } from 'hono'

export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next()
  const { headers } = c.res
  headers.set('x-content-type-options', 'nosniff')
  headers.set('x-frame-options', 'DENY')
  // The dashboard sets its own, which lets its styles and its script through, and its forms say where they come from.
  if (!headers.has('referrer-policy')) headers.set('referrer-policy', 'no-referrer')
  if (!headers.has('content-security-policy'))
    headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  if (c.req.path.startsWith('/v1/')) headers.set('cache-control', 'no-store')
}

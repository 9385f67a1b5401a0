/** Every answer says which request it is of; the log says the same. */
import { randomUUID } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'

declare module 'hono' {
  interface ContextVariableMap {
    requestId?: string
  }
}

const HEADER = 'x-request-id'

/** That of the client, or of a proxy in front, where it can be one. */
export const requestId: MiddlewareHandler = async (c, next) => {
  const given = c.req.header(HEADER)
  const id = given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID()
  c.set('requestId', id)
  await next()
  c.header(HEADER, id)
}

export const requestIdOf = (c: Context): string => c.get('requestId') ?? 'unknown'

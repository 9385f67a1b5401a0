/** The request and the answer as Node has them, below Hono. Without a socket, in tests, there are none. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context } from 'hono'

export interface NodeRequest {
  incoming?: IncomingMessage
  outgoing?: ServerResponse
}

export function nodeOf(c: Context): NodeRequest {
  return (c.env ?? {}) as NodeRequest
}

/** Bytes that the client says it sends. Undefined: it does not say. */
export function declaredLength(c: Context): number | undefined {
  const text = c.req.header('content-length')
  return text === undefined || !/^\d{1,15}$/.test(text) ? undefined : Number(text)
}

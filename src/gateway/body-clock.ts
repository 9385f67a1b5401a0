/**
 * How long a client may take to send a body. Node has one limit for a whole server, and it would end every upload that
 * takes longer; so the limit is here, and a route that watches its clients by itself says so.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

const clocks = new WeakMap<object, NodeJS.Timeout>()

const TOO_SLOW = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'

/** Beyond `ms`, its connection is ended; with 408 if nothing was answered yet. */
export function startBodyClock(request: IncomingMessage, response: ServerResponse, ms: number): void {
  if (!hasBody(request)) return
  const clock = setTimeout(() => {
    if (request.complete) return
    const { socket } = request
    if (!response.headersSent && socket.writable) socket.write(TOO_SLOW)
    socket.destroySoon()
  }, ms).unref()
  clocks.set(request, clock)
  request.once('close', () => clearTimeout(clock))
}

/** This request is watched by whoever reads it. */
export function unhurried(request: object): void {
  clearTimeout(clocks.get(request))
}

/** Whether it says that it has one, however much of it has come. */
export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

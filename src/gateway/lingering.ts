/**
 * An answer to a client that is still sending. If the connection is closed at once, what it sends then is met by a reset,
 * and many clients drop what they were answered: they report a broken connection and not 413. So the answer is sent whole,
 * and then read on and thrown away for a while, until the client has noticed.
 */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { hasBody } from './body-clock.ts'

/** Bytes that are thrown away. After that nothing is read: the client is held up, which gives it time to look. */
const MOST_BYTES = 1024 ** 2
const MOST_MS = 2_000

type Incoming = Pick<IncomingMessage, 'headers' | 'complete'> & Readable
type Fetch<Env> = (request: Request, env: Env) => Response | Promise<Response>

/** Every answer of an app that comes before all of the request was read ends its connection, that gently. */
export function lingering<Env extends { incoming: Incoming }>(fetch: Fetch<Env>): Fetch<Env> {
  return async (request, env) => {
    const response = await fetch(request, env)
    const { incoming } = env
    if (!hasBody(incoming) || incoming.complete || incoming.destroyed) return response
    const answer = new Uint8Array(await response.arrayBuffer())
    const headers = new Headers(response.headers)
    headers.set('connection', 'close')
    headers.set('content-length', String(answer.length))
    // The connection is closed when the stream of the answer is. By then the client has all of it: it says how long it is.
    const body = new ReadableStream<Uint8Array>(
      {
        start: controller => controller.enqueue(answer),
        pull: async controller => {
          await drain(incoming)
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    return new Response(body, { status: response.status, headers })
  }
}

/** Until the request was read to its end, its client has gone, or it took too long. */
async function drain(incoming: Incoming): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let read = 0
  const onData = (chunk: Buffer) => {
    read += chunk.length
    if (read > MOST_BYTES) incoming.pause()
  }
  const timer = setTimeout(resolve, MOST_MS)
  incoming.on('data', onData).once('end', resolve).once('close', resolve).once('error', resolve).resume()
  await promise
  clearTimeout(timer)
  incoming.off('data', onData)
}

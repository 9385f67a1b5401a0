/**
 * `GET /v1/jobs/{queue}/{id}/events`: server-sent events of one job, from its state now to its end. The id of an event is
 * how many lines of the log were told: a client that comes back with it (`Last-Event-ID`) hears of no line twice, and
 * misses none.
 */
import type { ServerResponse } from 'node:http'
import type { Context } from 'hono'
import { streamSSE, type SSEMessage, type SSEStreamingApi } from 'hono/streaming'
import { watchJob, type JobEvent } from '../../enqueue/job-watch.ts'
import { messageOf } from '../../errors.ts'
import type { JobDetails } from '../../inspector/details.ts'
import { Redaction } from '../../job/redaction.ts'
import { nodeOf } from '../node-request.ts'
import { asProblem, Problem } from '../problem.ts'
import { findJob, type FoundJob } from './job-routes.ts'
import type { ApiParts } from './parts.ts'

/** Proxies cut a connection that is silent for a minute. */
const HEARTBEAT_MS = 15_000
/** Streams at once: each is a connection. */
const MOST = 500
/** Events that a client is behind before it is cut off: it can come back. */
const MOST_PENDING = 1_000
/** Milliseconds in which a client takes its last events. */
const LAST_MS = 2_000
/** Tells the client's next try that there is nothing more to hear. */
const END_ID = 'end'

export function eventsRoute(parts: ApiParts, heartbeat = HEARTBEAT_MS): (c: Context) => Promise<Response> {
  let streams = 0
  return async c => {
    // By 204 an EventSource knows that it is not to come again.
    if (c.req.header('last-event-id') === END_ID) return c.body(null, 204)
    const found = await findJob(parts, c)
    if (c.req.raw.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' })
    if (streams >= MOST)
      throw new Problem(503, 'TOO_MANY_STREAMS', `${MOST} streams are open already`, { retryAfter: 10 })
    streams++
    const seen = Number(/^\d{1,9}$/.exec(c.req.header('last-event-id') ?? '')?.[0] ?? 0)
    // Proxies that buffer would show nothing until the end.
    c.header('x-accel-buffering', 'no')
    return streamSSE(c, async stream => {
      try {
        await tell(stream, found, { parts, seen, heartbeat, outgoing: nodeOf(c).outgoing })
      } finally {
        streams--
      }
    })
  }
}

interface Listening {
  parts: ApiParts
  seen: number
  heartbeat: number
  outgoing: ServerResponse | undefined
}

async function tell(
  stream: SSEStreamingApi,
  { reached, job }: FoundJob,
  { parts, seen, heartbeat, outgoing }: Listening,
): Promise<void> {
  const { stopping } = parts.drain
  const over = new AbortController()
  const line = new EventLine(stream, () => over.abort(new Error('the client is too slow')))
  stream.onAbort(() => over.abort(new Error('the client has gone')))
  const beat = setInterval(() => line.comment(), heartbeat)
  const told = new Telling(line, parts.config.redact, seen)
  told.state(job)
  const queue = reached.inspector.queue(job.queue)
  const signal = AbortSignal.any([over.signal, stopping])
  try {
    await using feed = await reached.feeds.open(queue, job.id, signal)
    const outcome = await watchJob(queue, feed.source, job.id, {
      signal,
      isNew: false,
      logsSeen: seen,
      onEvent: event => told.event(event),
    })
    told.event(outcome)
  } catch (error) {
    if (stopping.aborted) line.send({ event: 'stopping', data: '{}', retry: 1_000 })
    else if (!over.signal.aborted) told.failure(error)
  } finally {
    clearInterval(beat)
    cutLater(stream, outgoing)
    await line.sent
  }
}

/** Who does not read would keep its place among the streams for ever, and this process from ending. */
function cutLater(stream: SSEStreamingApi, outgoing: ServerResponse | undefined): void {
  const cut = setTimeout(() => {
    if (!stream.closed) stream.abort()
    outgoing?.destroy()
  }, LAST_MS).unref()
  outgoing?.once('close', () => clearTimeout(cut))
}

/** What is written, in order; a client that does not read it is cut off. */
class EventLine {
  readonly #stream: SSEStreamingApi
  readonly #onFull: () => void
  #pending = 0
  sent: Promise<unknown> = Promise.resolve()

  constructor(stream: SSEStreamingApi, onFull: () => void) {
    this.#stream = stream
    this.#onFull = onFull
  }

  send(message: SSEMessage): void {
    this.#write(() => this.#stream.writeSSE(message))
  }

  comment(): void {
    this.#write(() => this.#stream.write(':\n\n'))
  }

  #write(write: () => Promise<unknown>): void {
    if (++this.#pending > MOST_PENDING) return this.#onFull()
    this.sent = this.sent.then(write).finally(() => this.#pending--)
    this.sent.catch(() => undefined)
  }
}

class Telling {
  readonly #line: EventLine
  readonly #redaction: Redaction
  #logs: number

  constructor(line: EventLine, redact: readonly string[], logs: number) {
    this.#line = line
    this.#redaction = new Redaction(redact)
    this.#logs = logs
  }

  /** First of all, for who comes in the middle of it. */
  state({ state, attemptsMade, progress }: JobDetails): void {
    this.#send('state', { state, attemptsMade, ...(progress !== undefined && { progress }) })
  }

  event({ event, ...data }: JobEvent): void {
    if (event === 'log') this.#logs++
    const isEnd = event === 'completed' || event === 'failed'
    const shown = 'result' in data ? { result: this.#redaction.apply(data.result) } : data
    this.#send(event, shown, isEnd ? END_ID : String(this.#logs))
  }

  /** It can be tried again: what it was told so far is kept. */
  failure(error: unknown): void {
    const { code, detail } = asProblem(error)
    this.#send('error', {
      code,
      detail: code === 'INTERNAL' ? 'the watch has ended' : detail || messageOf(error),
    })
  }

  #send(event: string, data: object, id = String(this.#logs)): void {
    this.#line.send({ event, data: JSON.stringify(data), id })
  }
}

/** `GET /live`: what of the page has changed, by server-sent events. A client that reads slowly misses looks, not memory. */
import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import { callerOf } from '../caller.ts'
import { Problem } from '../problem.ts'
import type { Feed } from './feed.ts'
import type { Fragments, Renderings } from './fragments.ts'
import type { Look } from './panel.ts'

/** At once, of one process. */
const MOST_VIEWERS = 200

export interface LiveParts {
  feed: Feed<Look>
  renderings: Renderings
  /** Aborted: everybody is let go. */
  signal: AbortSignal
}

/** Each event is a JSON list of `[id, html]`, in the order of the page: the first all of it, then what is different. */
export function liveRoute({ feed, renderings, signal }: LiveParts): (c: Context) => Response {
  let viewers = 0
  return c => {
    if (viewers >= MOST_VIEWERS)
      throw new Problem(503, 'BUSY', `${MOST_VIEWERS} pages watch already`, { retryAfter: 10 })
    const mayOperate = callerOf(c).scopes.has('operate')
    const until = c.get('session')?.until ?? Infinity
    viewers++
    // Else nginx collects what is sent, and shows it when the stream has ended.
    c.header('x-accel-buffering', 'no')
    return streamSSE(c, async stream => {
      let leave: () => void = () => undefined
      const left = () => leave()
      signal.addEventListener('abort', left)
      stream.onAbort(left)
      // Anew for each look: a promise that lives as long as the stream would keep every look that it was raced with.
      const next = (seen?: Look) =>
        new Promise<Look | undefined>((resolve, reject) => {
          leave = () => resolve(undefined)
          feed.next(seen).then(resolve, reject)
        })
      try {
        let seen: Look | undefined
        let sent: Fragments = new Map()
        while (!signal.aborted && !stream.aborted && Date.now() < until) {
          const look = await next(seen)
          if (look === undefined) break
          const fragments = await renderings.of(look, mayOperate)
          const changed = [...fragments].filter(([id, text]) => sent.get(id) !== text)
          await stream.writeSSE({
            data: JSON.stringify(changed),
            ...(seen === undefined && { retry: 2_000 }),
          })
          seen = look
          sent = fragments
        }
        if (signal.aborted) await stream.writeSSE({ event: 'stopping', data: '' })
      } finally {
        signal.removeEventListener('abort', left)
        viewers--
      }
    })
  }
}

/** bull-board, loaded when it is first looked at: most processes of this kind answer an autoscaler, and nobody else. */
import { Hono } from 'hono'
import { callerOf } from '../caller.ts'
import type { DashboardParts } from './app.ts'
import type { Board } from './board.ts'
import { within } from './patience.ts'

/** Milliseconds that it may take. */
const PATIENCE = 15_000

export function boardRoutes({ panel, onAction }: DashboardParts): Hono {
  let board: Promise<Board> | undefined
  return new Hono().all('/queues/*', async c => {
    const { inspector } = panel.reached
    await panel.ping()
    const { name, scopes } = callerOf(c)
    board ??= import('./board.ts').then(loaded => new loaded.Board(inspector, panel.config.redact))
    const response = await within(
      PATIENCE,
      (await board).fetch(c.req.raw, c.env as object, scopes.has('operate')),
      'load the page again',
    )
    // Their names change with what is in them.
    if (c.req.path.startsWith('/queues/static/'))
      response.headers.set('cache-control', 'private, max-age=86400')
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
      const what = `${c.req.method} ${c.req.path}`
      onAction({ by: name, what, said: String(response.status), ok: response.ok })
    }
    return response
  })
}

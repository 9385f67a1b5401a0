/**
 * The dashboard: the page of the fleet at `/`, bull-board under `/queues`, signing in and out. Mounted beside `/v1`, so its
 * guards belong to its own paths, and nothing else.
 */
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { requireScope } from '../caller.ts'
import { asProblem, Problem } from '../problem.ts'
import { assetRoutes } from './assets.ts'
import { boardRoutes } from './board-route.ts'
import { fleetRoutes } from './fleet-routes.ts'
import { onlyOwnPages, securityHeaders, whoLooks } from './guard.ts'
import { problemPage } from './page.ts'
import type { Panel } from './panel.ts'
import { signInRoutes } from './sign-in.ts'

/** Bytes of a form. */
const MOST_FORM = 16_384
const BOARD = ['/queues', '/queues/*']

export interface Acted {
  /** Name of the token, or `local`. */
  by: string
  what: string
  said: string
  ok: boolean
}

export interface DashboardParts {
  panel: Panel
  /** Aborted: who watches is let go. */
  signal: AbortSignal
  /** Of each button that was pressed, for the audit. */
  onAction: (acted: Acted) => void
}

/** With tokens in the config, whoever signs in with one; without, this host only. */
export function dashboardApp(parts: DashboardParts): Hono {
  const { sessions, config } = parts.panel
  const known = whoLooks(sessions, config.tokens.length > 0)
  const app = new Hono()
  const own = securityHeaders(undefined)
  for (const path of ['/', '/live', '/act', '/login', '/logout', '/dashboard/*'])
    app.use(path, own, onlyOwnPages)
  for (const path of BOARD) app.use(path, securityHeaders("'unsafe-inline'"), onlyOwnPages)
  for (const path of ['/', '/live', '/act', '/logout', ...BOARD]) app.use(path, known)
  for (const path of ['/', '/live', ...BOARD]) app.use(path, requireScope('read'))
  app.use('/act', requireScope('operate'))
  // Last: nobody's body is read before it is known who sends it.
  for (const path of ['/act', '/login', '/logout', ...BOARD])
    app.use(path, bodyLimit({ maxSize: MOST_FORM, onError: tooLong }))
  app.route('/', assetRoutes())
  app.route('/', signInRoutes(sessions))
  app.route('/', fleetRoutes(parts))
  app.route('/', boardRoutes(parts))
  app.onError(told)
  return app
}

function tooLong(): never {
  throw new Problem(413, 'TOO_LARGE', `at most ${MOST_FORM} bytes`)
}

/** To a person as a page, and to a script as what it can say. */
function told(error: Error, c: Context): Response | Promise<Response> {
  const { status, code, detail, hint } = asProblem(error)
  const isPage = c.req.header('accept')?.includes('text/html') === true
  if (isPage && status === 401) return c.redirect('/login', 303)
  if (isPage) return c.html(problemPage('That did not work', detail, hint), status as 500)
  const said = hint === undefined ? detail : `${detail}: ${hint}`
  return c.json({ ok: false, said, error: { code, message: said } }, status as 500)
}

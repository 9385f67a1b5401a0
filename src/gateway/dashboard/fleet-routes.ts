/** The page of the fleet: as a whole, as it changes, and what its buttons do. */
import { Hono, type Context } from 'hono'
import { messageOf } from '../../errors.ts'
import { callerOf } from '../caller.ts'
import { asProblem } from '../problem.ts'
import { perform, readAction } from './actions.ts'
import type { DashboardParts } from './app.ts'
import { Feed } from './feed.ts'
import { formOf } from './form.ts'
import { Renderings } from './fragments.ts'
import { liveRoute } from './live.ts'
import { fleetPage, type Said } from './page.ts'
import type { Look } from './panel.ts'

export function fleetRoutes({ panel, signal, onAction }: DashboardParts): Hono {
  const { sessions, config } = panel
  const feed = new Feed<Look>(() => panel.look())
  const renderings = new Renderings(config.redact)
  const app = new Hono()

  async function page(c: Context, said?: Said) {
    const caller = callerOf(c)
    const session = c.get('session')
    return fleetPage({
      fragments: await renderings.of(await feed.next(), caller.scopes.has('operate')),
      caller,
      signedIn: session !== undefined,
      formToken: sessions.formToken(session?.cookie ?? ''),
      said,
    })
  }

  app.get('/', async c => c.html(await page(c)))
  app.get('/live', liveRoute({ feed, renderings, signal }))
  app.post('/act', async c => {
    const form = await formOf(c, sessions)
    const what = readAction(form['act'])
    const by = callerOf(c).name
    const { status, ...said } = await perform(what, panel, `${by}, on the dashboard`).then(
      text => ({ text, ok: true, status: 200 as const }),
      (error: unknown) => ({ text: inWords(error), ok: false, status: asProblem(error).status as 500 }),
    )
    onAction({ by, what: JSON.stringify(what), said: said.text, ok: said.ok })
    feed.hurry()
    if (c.req.header('accept') === 'application/json') return c.json({ said: said.text, ok: said.ok }, status)
    return c.html(await page(c, said), status)
  })
  return app
}

function inWords(error: unknown): string {
  const { hint } = asProblem(error)
  return hint === undefined ? messageOf(error) : `${messageOf(error)}: ${hint}`
}

/** What an orchestrator asks a process: has it started, does it take work, is it alive. Silent on success. */
import { Hono } from 'hono'

interface Probe {
  ok: boolean
  /** A word or two, for who reads the answer. */
  why: string
}

export interface Probes {
  startup: () => Probe | Promise<Probe>
  ready: () => Probe | Promise<Probe>
  live: () => Probe | Promise<Probe>
}

/** `/startupz`, `/readyz` and `/livez`: 200 or 503, with the reason as text. */
export function probeRoutes({ startup, ready, live }: Probes): Hono {
  const app = new Hono()
  for (const [path, probe] of Object.entries({ '/startupz': startup, '/readyz': ready, '/livez': live }))
    app.get(path, async c => {
      const { ok, why } = await probe()
      return c.text(`${why}\n`, ok ? 200 : 503)
    })
  return app
}

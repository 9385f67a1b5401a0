/** What a replica answers over HTTP: probes. Numbers and words, never a payload. */
import { Hono } from 'hono'
import type { Stopping } from '../fleet/stopping.ts'
import type { Supervisor } from '../fleet/supervisor.ts'
import { probeRoutes } from './probes.ts'

export interface ReplicaParts {
  supervisor: Supervisor
  stopping: Stopping
}

export function replicaApp({ supervisor, stopping }: ReplicaParts): Hono {
  const started = () => supervisor.jobs.size > 0
  return new Hono().route(
    '/',
    probeRoutes({
      startup: () => (started() ? { ok: true, why: 'started' } : { ok: false, why: 'starting' }),
      ready: () =>
        stopping.started || supervisor.quiet
          ? { ok: false, why: 'draining' }
          : { ok: started(), why: started() ? 'ready' : 'starting' },
      live: () => ({ ok: true, why: 'alive' }),
    }),
  )
}

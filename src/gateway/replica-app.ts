/** What a replica answers over HTTP: probes and metrics. Numbers and words, never a payload. All of it is in memory already. */
import type { Registry } from '@prometheus-io/client'
import { Hono } from 'hono'
import type { Health } from '../fleet/health.ts'
import { metricsRoute } from './metrics.ts'
import { probeRoutes } from './probes.ts'

/** Verdicts with which it takes no job, whatever there is to do. */
const NOT_READY = new Set(['starting', 'draining', 'redis-down'])

export interface ReplicaParts {
  health: Health
  metrics: Registry
}

export function replicaApp({ health, metrics }: ReplicaParts): Hono {
  const said = () => {
    const { verdict, why } = health.judgement
    return { verdict, why: why === '' ? verdict : `${verdict}: ${why}` }
  }
  return new Hono().route('/', metricsRoute(metrics)).route(
    '/',
    probeRoutes({
      startup: () => ({ ok: health.started, why: health.started ? 'started' : said().why }),
      ready: () => {
        const { verdict, why } = said()
        const ok = !NOT_READY.has(verdict)
        return { ok, why: ok ? 'ready' : why }
      },
      live: () => {
        const { verdict, why } = said()
        return { ok: verdict !== 'wedged', why }
      },
    }),
  )
}

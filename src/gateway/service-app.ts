/** What `runner serve` answers: probes, how many replicas each queue needs, and metrics. Numbers and words, never a payload. */
import type { Registry } from '@prometheus-io/client'
import { Hono } from 'hono'
import { messageOf } from '../errors.ts'
import { metricsRoute } from './metrics.ts'
import { probeRoutes } from './probes.ts'
import { scaleRoute, type ScaleSource } from './scale-route.ts'

export interface ServiceParts {
  scale: ScaleSource & {
    /** Rejects when Redis does not answer in time. */
    ping: () => Promise<void>
  }
  /** It has been told to stop. */
  isStopping: () => boolean
  onError: (queue: string, error: Error) => void
  /** What `/metrics` tells; absent: there is no such path. */
  registry?: Registry
}

export function serviceApp({ scale, isStopping, onError, registry }: ServiceParts): Hono {
  const app = new Hono().route('/', scaleRoute(scale, onError)).route(
    '/',
    probeRoutes({
      startup: () => ({ ok: true, why: 'started' }),
      ready: async () => {
        if (isStopping()) return { ok: false, why: 'stopping' }
        return scale.ping().then(
          () => ({ ok: true, why: 'ready' }),
          (error: unknown) => ({ ok: false, why: messageOf(error) }),
        )
      },
      // An outage of Redis is nothing that a restart would mend.
      live: () => ({ ok: true, why: 'alive' }),
    }),
  )
  return registry === undefined ? app : app.route('/', metricsRoute(registry))
}

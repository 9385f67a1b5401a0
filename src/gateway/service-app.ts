/**
 * What `runner serve` answers: probes, how many replicas each queue needs, and metrics, to everybody; the API to who has a
 * token. Whatever is thrown on the way is told as problem+json.
 */
import type { Registry } from '@prometheus-io/client'
import { Hono } from 'hono'
import { messageOf } from '../errors.ts'
import { metricsRoute } from './metrics.ts'
import { probeRoutes } from './probes.ts'
import { asProblem, Problem, problemResponse } from './problem.ts'
import { requestId, requestIdOf } from './request-id.ts'
import { scaleRoute, type ScaleSource } from './scale-route.ts'
import { securityHeaders } from './security-headers.ts'

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
  /** Absent: numbers only, and every other path of /v1 says why. */
  api?: Hono
  /** A fault of this process, with the id of the request. */
  onFault?: (request: string, error: unknown) => void
}

export function serviceApp(parts: ServiceParts): Hono {
  const { scale, isStopping, onError, registry, api, onFault } = parts
  const app = new Hono()
  app.use(requestId, securityHeaders)
  app.onError((error, c) => {
    const { status, code } = asProblem(error)
    if (status === 500 || code === 'INTERNAL') onFault?.(requestIdOf(c), error)
    return problemResponse(error, requestIdOf(c))
  })
  app.notFound(c => problemResponse(notFound(c.req.path), requestIdOf(c)))
  app.route('/', scaleRoute(scale, onError)).route(
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
  if (registry !== undefined) app.route('/', metricsRoute(registry))
  if (api === undefined) app.all('/v1/*', refuseWithoutTokens)
  else app.route('/', api)
  return app
}

/** Where anybody may ask, and nobody can say who asks. */
export const WITHOUT_TOKENS =
  'no tokens are configured, and this address is not of this host alone: only probes, metrics and /v1/queues/{queue}/scale are answered'

function refuseWithoutTokens(): never {
  throw new Problem(403, 'NO_TOKENS', WITHOUT_TOKENS, {
    hint: 'runner new token makes one, and the line for the config file',
  })
}

function notFound(path: string): Problem {
  return new Problem(404, 'NOT_FOUND', `there is nothing at ${path.slice(0, 200)}`, {
    hint: 'GET /v1/openapi.json lists what there is',
  })
}

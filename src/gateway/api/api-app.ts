/** The routes of /v1 that ask who asks. Handlers throw; what they throw is told by the app that this one is mounted in. */
import { Hono, type Context } from 'hono'
import { authenticate, requireScope } from '../caller.ts'
import { Problem } from '../problem.ts'
import { deprecations } from './deprecation.ts'
import { enqueueRoute } from './enqueue-route.ts'
import { eventsRoute } from './job-events.ts'
import { cancelRoute, jobRoute } from './job-routes.ts'
import { migrationRoute, migrationsRoute, queuesRoute } from './listing-routes.ts'
import { openapiOf } from './openapi.ts'
import type { ApiParts } from './parts.ts'

/** Names of jobs have slashes. */
const JOB = '/v1/jobs/:name{.+}'

export function apiApp(parts: ApiParts): Hono {
  const app = new Hono()
  const [enqueue, read, operate] = [requireScope('enqueue'), requireScope('read'), requireScope('operate')]
  app.use('/v1/*', deprecations(), authenticate(parts.tokens), parts.drain.middleware)
  app.get('/v1/openapi.json', async c => c.json(openapiOf(await parts.catalog.entries())))
  app.get('/v1/queues', read, queuesRoute(parts))
  app.get('/v1/migrations', read, migrationsRoute(parts))
  app.get('/v1/migrations/:run', read, migrationRoute(parts))
  app.get('/v1/jobs/:queue/:id/events', read, eventsRoute(parts))
  app.get('/v1/jobs/:queue/:id', read, jobRoute(parts))
  app.delete('/v1/jobs/:queue/:id', operate, cancelRoute(parts))
  app.post(JOB, enqueue, enqueueRoute(parts))
  for (const path of ['/v1/openapi.json', '/v1/queues', '/v1/migrations', '/v1/migrations/:run'])
    app.all(path, refuseMethod('GET, HEAD'))
  app.all('/v1/jobs/:queue/:id/events', refuseMethod('GET, HEAD, POST'))
  app.all('/v1/jobs/:queue/:id', refuseMethod('GET, HEAD, DELETE, POST'))
  app.all(JOB, refuseMethod('POST'))
  return app
}

/** For the same paths, after the routes that take some methods. */
function refuseMethod(allow: string) {
  return (c: Context): never => {
    throw new Problem(405, 'METHOD_NOT_ALLOWED', `${c.req.method} is not for ${c.req.path}: ${allow} is`, {
      headers: { allow },
    })
  }
}

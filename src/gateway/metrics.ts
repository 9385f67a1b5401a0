/** `/metrics`, in the text format of Prometheus. */
import type { Registry } from '@prometheus-io/client'
import { Hono } from 'hono'

export function metricsRoute(registry: Registry): Hono {
  return new Hono().get('/metrics', async c =>
    c.body(await registry.metrics(), 200, { 'content-type': registry.contentType }),
  )
}

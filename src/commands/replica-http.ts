/** What a replica answers over HTTP. Imported where there is an address only: it is a hundred files. */
import { viewOf } from '../fleet/replica-view.ts'
import type { Health } from '../fleet/health.ts'
import type { Stopping } from '../fleet/stopping.ts'
import type { Supervisor } from '../fleet/supervisor.ts'
import { listen, type Listener } from '../gateway/listener.ts'
import { replicaApp } from '../gateway/replica-app.ts'
import type { Events } from '../observe/events.ts'
import { replicaMetrics } from '../observe/metrics/replica-metrics.ts'

export interface HttpParts {
  supervisor: Supervisor
  stopping: Stopping
  health: Health
  events: Events
}

/** Counts from now on. Throws HTTP_UNAVAILABLE. */
export async function openHttp(
  address: string,
  { supervisor, stopping, health, events }: HttpParts,
): Promise<Listener> {
  const metrics = replicaMetrics(events, viewOf(supervisor, stopping))
  const listener = await listen(replicaApp({ health, metrics }), address)
  events.emit('http.listening', { url: listener.url })
  return listener
}

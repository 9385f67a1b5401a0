/** The dashboard of a process that answers callers: loaded only then. */
import type { Hono } from 'hono'
import type { Config } from '../../config.ts'
import { emitError } from '../../fleet/error-events.ts'
import type { Events } from '../../observe/events.ts'
import type { Panel, PanelOptions } from './panel.ts'

export interface MountOptions extends Pick<PanelOptions, 'config' | 'uploads'> {
  config: Config
  /** Aborted: who watches is let go. */
  signal: AbortSignal
  events: Events
}

/** `reach` of what comes back says where Redis is. */
export async function mountDashboard(
  app: Hono,
  { config, uploads, signal, events }: MountOptions,
): Promise<Panel> {
  const [loaded, { dashboardApp }] = await Promise.all([import('./panel.ts'), import('./app.ts')])
  const panel = new loaded.Panel({
    config,
    onError: error => emitError(events, '', error),
    ...(uploads === undefined ? {} : { uploads }),
  })
  app.route('/', dashboardApp({ panel, signal, onAction: acted => events.emit('dashboard.acted', acted) }))
  return panel
}

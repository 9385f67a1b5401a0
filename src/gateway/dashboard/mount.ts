/** Whether a process has a dashboard: with tokens, or where only this host reaches it. Loaded only then. */
import type { Hono } from 'hono'
import type { Config } from '../../config.ts'
import { emitError } from '../../fleet/error-events.ts'
import { isLoopback, readHttpAddress } from '../../http-address.ts'
import type { Events } from '../../observe/events.ts'
import type { Panel, PanelOptions } from './panel.ts'

export interface MountOptions extends Pick<PanelOptions, 'config' | 'uploads'> {
  config: Config
  /** Where the process answers. */
  address: string
  /** Aborted: who watches is let go. */
  signal: AbortSignal
  events: Events
}

/** undefined: it has none. Else `reach` of what comes back says where Redis is. */
export async function mountDashboard(
  app: Hono,
  { config, uploads, address, signal, events }: MountOptions,
): Promise<Panel | undefined> {
  if (config.tokens.length === 0 && !isLoopback(readHttpAddress(address)?.host)) return undefined
  const [loaded, { dashboardApp }] = await Promise.all([import('./panel.ts'), import('./app.ts')])
  const panel = new loaded.Panel({
    config,
    onError: error => emitError(events, '', error),
    ...(uploads === undefined ? {} : { uploads }),
  })
  app.route('/', dashboardApp({ panel, signal, onAction: acted => events.emit('dashboard.acted', acted) }))
  return panel
}

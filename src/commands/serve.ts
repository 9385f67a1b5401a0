/**
 * `runner serve`: small and always on. It says how many replicas the queues need, also when there is none of them; at zero
 * replicas there would be nobody to ask. It takes no job and loads no job file.
 */
import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { emitError } from '../fleet/error-events.ts'
import { mountDashboard } from '../gateway/dashboard/mount.ts'
import { listen } from '../gateway/listener.ts'
import { queueFigures } from '../gateway/queue-figures.ts'
import { serviceApp } from '../gateway/service-app.ts'
import { Events } from '../observe/events.ts'
import { takeLibraryWarnings } from '../observe/library-warnings.ts'
import { logEvents } from '../observe/log-events.ts'
import { openLog } from '../observe/logger.ts'
import { queueMetrics } from '../observe/metrics/queue-metrics.ts'
import { openLate } from '../redis/late-connection.ts'
import { requireRules } from '../scaling/rules.ts'
import { ScaleService } from '../scaling/service.ts'
import { addHelp } from './help.ts'
import { queueConcurrency } from './queue-concurrency.ts'
import { addSettingFlags } from './setting-flags.ts'
import type { CliContext } from './verbs.ts'

/** This host only: whoever wants it from elsewhere says so. */
const ADDRESS = '127.0.0.1:9090'

export function define(command: Command, context: CliContext): void {
  command.action(async () => serve(await context.config()))
  addSettingFlags(command, 'http', 'Options of a service:')
  addSettingFlags(command, 'scale', 'Options of scaling:')
  addHelp(
    command,
    [
      ['runner serve', `at ${ADDRESS}`],
      ['runner serve --http :9090', 'on every interface: numbers only, so it asks for no token'],
      ['runner serve --drain-target 30s', 'GET /v1/queues/{queue}/scale, /metrics, /readyz, /livez'],
    ],
    ['ok', 'runtime', 'usage', 'redis'],
  )
}

/**
 * Until it is told to stop: TERM or INT end it at once, for nothing that it does needs to be finished. Redis may be away
 * also when it starts: it is alive and says so, where a restart every few seconds would say nothing. A try that is under
 * way then has to fail first, within 5 s.
 */
async function serve(config: Config): Promise<void> {
  requireRules(config)
  const log = await openLog(config.logLevel)
  takeLibraryWarnings(line => log.logger.warn(line))
  const events = new Events()
  logEvents(events, log.logger)
  const stop = new AbortController()
  const { signal } = stop
  const { promise: told, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve())
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort())
  const onError = (queue: string, error: unknown) => emitError(events, queue, error)
  const scale = new ScaleService({ config, concurrencyOf: queueConcurrency(config), onError })
  const registry = queueMetrics(
    async () => {
      const all = await scale.readAll()
      return {
        queues: all.map(({ estimate }) => queueFigures(estimate)),
        schedules: all.flatMap(({ schedules }) => schedules),
      }
    },
    error => onError('', error),
  )
  const app = serviceApp({ scale, isStopping: () => signal.aborted, onError, registry })
  await using panel = await mountDashboard(app, { config, signal, events, address: config.http ?? ADDRESS })
  await using listener = await listen(app, config.http ?? ADDRESS)
  events.emit('http.listening', { url: listener.url })
  await using redis = await openLate(config, {
    signal,
    onMessage: line => log.logger.info(line),
    onUnreachable: error => {
      scale.unreachable(error)
      panel?.unreachable(error)
      onError('', error)
    },
  })
  if (redis === undefined) return
  for (const line of redis.warnings) log.logger.warn(line)
  scale.reach(redis)
  panel?.reach(redis)
  // Neither the server nor a client that has lost Redis keeps the process alive.
  const hold = setInterval(() => undefined, 2 ** 30)
  await told
  clearInterval(hold)
}

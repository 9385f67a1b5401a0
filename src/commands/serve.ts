/**
 * `runner serve`: small and always on. It says how many replicas the queues need, also when there is none of them; at zero
 * replicas there would be nobody to ask. To who has a token it is the API. It takes no job, and runs none: job files are
 * imported in a thread, for the schemas of their payloads.
 */
import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { EXIT } from '../errors.ts'
import { emitError } from '../fleet/error-events.ts'
import { mountDashboard } from '../gateway/dashboard/mount.ts'
import { Drain } from '../gateway/drain.ts'
import { listen } from '../gateway/listener.ts'
import { queueFigures } from '../gateway/queue-figures.ts'
import { Reach } from '../gateway/reach.ts'
import { serviceApp, WITHOUT_TOKENS } from '../gateway/service-app.ts'
import { keepHeapSmall } from '../gateway/small-heap.ts'
import { Events } from '../observe/events.ts'
import { takeLibraryWarnings } from '../observe/library-warnings.ts'
import { logEvents } from '../observe/log-events.ts'
import { openLog } from '../observe/logger.ts'
import { queueMetrics } from '../observe/metrics/queue-metrics.ts'
import { uploadMetrics } from '../observe/metrics/upload-metrics.ts'
import { openLate } from '../redis/late-connection.ts'
import { requireRules } from '../scaling/rules.ts'
import { ScaleService } from '../scaling/service.ts'
import { endProcess } from './end-process.ts'
import { addHelp } from './help.ts'
import { queueConcurrency } from './queue-concurrency.ts'
import { faultsTo, isAnswered, openApi } from './service-api.ts'
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
      [
        'runner serve',
        `at ${ADDRESS}: POST /v1/jobs/{name}, GET /v1/openapi.json; programs on this host need no token`,
      ],
      [
        'runner serve --http :9090',
        'on every interface: numbers to all, the API to tokens of the config file',
      ],
      ['runner serve --drain-target 30s', 'GET /v1/queues/{queue}/scale, /metrics, /readyz, /livez'],
    ],
    ['ok', 'runtime', 'usage', 'redis', 'handedBack', 'forced'],
  )
}

/**
 * Until it is told to stop: then what runs may go on for the grace, and a second TERM or INT ends it at once. Redis may be
 * away also when it starts: it is alive and says so, where a restart every few seconds would say nothing. A try that is
 * under way then has to fail first, within 5 s.
 */
async function serve(config: Config): Promise<void> {
  keepHeapSmall()
  requireRules(config)
  const address = config.http ?? ADDRESS
  const log = await openLog(config.logLevel)
  takeLibraryWarnings(line => log.logger.warn(line))
  const events = new Events()
  logEvents(events, log.logger)
  const signal = stopSignal()
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
  const drain = new Drain()
  await using reach = new Reach()
  await using api = isAnswered(config, address) ? openApi({ config, events, drain, reach }) : undefined
  if (api === undefined) log.logger.warn(WITHOUT_TOKENS)
  const app = serviceApp({
    scale,
    isStopping: () => signal.aborted,
    onError,
    registry,
    onFault: faultsTo(events),
    ...(api !== undefined && { api: api.app }),
  })
  if (api !== undefined) uploadMetrics(registry, events, api.uploads)
  await using panel =
    api === undefined
      ? undefined
      : await mountDashboard(app, { config, signal, events, uploads: () => api.uploads.running })
  await using listener = await listen(app, address)
  events.emit('http.listening', { url: listener.url })
  await using redis = await openLate(config, {
    signal,
    onMessage: line => log.logger.info(line),
    onUnreachable: error => {
      scale.unreachable(error)
      reach.unreachable(error)
      panel?.unreachable(error)
      onError('', error)
    },
  })
  if (redis !== undefined) {
    for (const line of redis.warnings) log.logger.warn(line)
    scale.reach(redis)
    reach.reach(redis)
    panel?.reach(redis)
    api?.sweep(redis)
  }
  await whenAborted(signal)
  events.emit('http.stopping', { running: drain.running, grace: config.grace })
  if ((await drain.stop(config.grace)) > 0) process.exitCode = EXIT.handedBack
}

/** Aborted by the first TERM or INT. The second ends the process, whatever is not finished. */
function stopSignal(): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.on(name, () => (stop.signal.aborted ? endProcess(EXIT.forced, true) : stop.abort()))
  return stop.signal
}

/** Neither the server nor a client that has lost Redis keeps the process alive: this does. */
async function whenAborted(signal: AbortSignal): Promise<void> {
  const hold = setInterval(() => undefined, 2 ** 30)
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve())
  if (!signal.aborted) await promise
  clearInterval(hold)
}

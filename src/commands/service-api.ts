/** The API of `runner serve`, where there is one: to programs on this host, or to tokens. */
import type { Hono } from 'hono'
import { placesOf, type Config } from '../config.ts'
import { sweepAgain } from '../enqueue/file-sweeps.ts'
import { messageOf } from '../errors.ts'
import { emitError } from '../fleet/error-events.ts'
import { apiApp } from '../gateway/api/api-app.ts'
import type { Drain } from '../gateway/drain.ts'
import { JobCatalog } from '../gateway/job-catalog.ts'
import type { Reach } from '../gateway/reach.ts'
import { Tokens } from '../gateway/tokens.ts'
import { receiveUpload } from '../gateway/upload/receive.ts'
import { UploadSlots, type ActiveUpload } from '../gateway/upload/slots.ts'
import { isLoopback, readHttpAddress } from '../http-address.ts'
import type { Events } from '../observe/events.ts'
import type { UploadView } from '../observe/metrics/upload-metrics.ts'
import type { RedisHandle } from '../redis/connection.ts'
import { neededByRuns } from '../steering/file-needs.ts'
import { openStores } from '../store/stores.ts'

export interface OpenApi extends AsyncDisposable {
  app: Hono
  /** From now on files that no job needs any more are removed. */
  sweep: (redis: RedisHandle) => void
  /** Those that are received now, and how many bytes have come. */
  uploads: UploadView & { readonly running: readonly ActiveUpload[] }
}

export interface ApiSurroundings {
  config: Config
  events: Events
  drain: Drain
  reach: Reach
}

/** Whether anybody can be told from others at this address. */
export function isAnswered({ tokens }: Config, address: string): boolean {
  return tokens.length > 0 || isLoopback(readHttpAddress(address)?.host)
}

/** Begins to load the job files. Throws CONFIG_INVALID for a folder of them that was named and is not there. */
export function openApi({ config, events, drain, reach }: ApiSurroundings): OpenApi {
  const stores = openStores(placesOf(config))
  const slots = new UploadSlots(config.uploads)
  const catalog = new JobCatalog({
    config,
    onBroken: ({ file, code, message }) => events.emit('job.file-broken', { file, code, message }),
  })
  const app = apiApp({
    config,
    tokens: new Tokens(config.tokens),
    catalog,
    reach,
    drain,
    onChange: change => events.emit('api.changed', change),
    receive: (request, { job, caller, signal }) =>
      receiveUpload(request, {
        target: stores.uploads,
        limits: config.uploads,
        slots,
        fields: job.files ?? {},
        caller,
        signal,
        events,
      }),
  })
  let sweeping: Promise<void> | undefined
  return {
    app,
    uploads: slots,
    sweep(redis) {
      sweeping = sweepAgain({
        client: redis.connect('sweep'),
        prefix: redis.prefix,
        stores,
        orphanAge: config.uploads.orphanAge,
        neededByRuns: neededByRuns(config),
        signal: drain.stopping,
        onError: (_, error) => emitError(events, '', error),
        onFailed: error => emitError(events, '', error),
      })
    },
    async [Symbol.asyncDispose]() {
      await catalog[Symbol.asyncDispose]()
      await sweeping
      await stores[Symbol.asyncDispose]()
    },
  }
}

export function faultsTo(events: Events): (request: string, error: unknown) => void {
  return (request, error) =>
    events.emit('api.fault', {
      request,
      message: messageOf(error),
      ...(error instanceof Error && error.stack !== undefined && { stack: error.stack }),
    })
}

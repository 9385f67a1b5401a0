/** The API of `runner serve`, where there is one: to programs on this host, or to tokens. */
import type { Hono } from 'hono'
import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'
import { apiApp } from '../gateway/api/api-app.ts'
import type { Drain } from '../gateway/drain.ts'
import { JobCatalog } from '../gateway/job-catalog.ts'
import type { Reach } from '../gateway/reach.ts'
import { Tokens } from '../gateway/tokens.ts'
import { isLoopback, readHttpAddress } from '../http-address.ts'
import type { Events } from '../observe/events.ts'

export interface OpenApi extends AsyncDisposable {
  app: Hono
}

/** Whether anybody can be told from others at this address. */
export function isAnswered({ tokens }: Config, address: string): boolean {
  return tokens.length > 0 || isLoopback(readHttpAddress(address)?.host)
}

/** Begins to load the job files. Throws CONFIG_INVALID for a folder of them that was named and is not there. */
export function openApi({
  config,
  events,
  drain,
  reach,
}: {
  config: Config
  events: Events
  drain: Drain
  reach: Reach
}): OpenApi {
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
  })
  return { app, [Symbol.asyncDispose]: () => catalog[Symbol.asyncDispose]() }
}

export function faultsTo(events: Events): (request: string, error: unknown) => void {
  return (request, error) =>
    events.emit('api.fault', {
      request,
      message: messageOf(error),
      ...(error instanceof Error && error.stack !== undefined && { stack: error.stack }),
    })
}

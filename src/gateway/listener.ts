/** An app at an address: one `node:http` server. It answers on the main loop of its process, where no user code runs. */
import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { RunnerError, messageOf } from '../errors.ts'
import { readHttpAddress } from '../http-address.ts'
import { startBodyClock } from './body-clock.ts'
import { continueWhenRead } from './expectation.ts'
import { lingering } from './lingering.ts'

/** A client that sends its headers, or a body that nobody else watches, slower than this, in milliseconds, is cut off. */
const REQUEST_MS = 10_000
/** How often Node looks for those that are late with their headers. */
const LOOK_MS = 2_000
/** Connections at once. Those who ask are few; more are turned away before they cost memory. */
const MOST_CONNECTIONS = 1_000

export interface Listener extends AsyncDisposable {
  /** `http://host:port`, with the port that was free where 0 was asked for. */
  readonly url: string
  /** At once, whatever is being answered. Idempotent; never throws. */
  close(): Promise<void>
}

/** Throws CONFIG_INVALID for what is no address, HTTP_UNAVAILABLE where it cannot be had. It does not keep the process alive. */
export async function listen(app: Hono, address: string, most = MOST_CONNECTIONS): Promise<Listener> {
  const wanted = readHttpAddress(address)
  if (wanted === undefined) throw new RunnerError('CONFIG_INVALID', `not an address: ${address}`)
  const server = createAdaptorServer({
    fetch: lingering((request, env) => app.fetch(request, env)),
    serverOptions: { connectionsCheckingInterval: LOOK_MS },
  }) as Server
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) =>
    startBodyClock(request, response, REQUEST_MS),
  )
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    continueWhenRead(request, response)
    server.emit('request', request, response)
  })
  server.requestTimeout = 0
  server.headersTimeout = REQUEST_MS
  server.maxConnections = most
  try {
    server.listen(wanted.port, wanted.host)
    await once(server, 'listening')
  } catch (error) {
    throw new RunnerError('HTTP_UNAVAILABLE', `cannot answer at ${address}: ${messageOf(error)}`, {
      hint: 'another process has the port, or the host has no such address: choose another with --http',
      cause: error,
    })
  }
  server.unref()
  const { address: at, port: had, family } = server.address() as AddressInfo
  let closing: Promise<void> | undefined
  const listener: Listener = {
    url: `http://${family === 'IPv6' ? `[${at}]` : at}:${had}`,
    close: () => (closing ??= end(server)),
    [Symbol.asyncDispose]: () => listener.close(),
  }
  return listener
}

async function end(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  if (server.listening) await once(server, 'close')
}

/** An app at an address: one `node:http` server. It answers on the main loop of its process, where no user code runs. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { RunnerError, messageOf } from '../errors.ts'
import { readHttpAddress } from '../http-address.ts'

/** A client that sends the head of its request slower than this, in milliseconds, is cut off. Who reads a body limits that. */
const HEAD_MS = 10_000
/** Milliseconds between two looks for such clients. */
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
  const serverOptions = { connectionsCheckingInterval: LOOK_MS }
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions }) as Server
  server.requestTimeout = 0
  server.headersTimeout = HEAD_MS
  server.maxConnections = most
  // Node itself would ask for every body before anybody has looked who sends it: see node-request.ts.
  server.on('checkContinue', (request, response) => server.emit('request', request, response))
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

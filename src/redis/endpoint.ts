/** Where a connected client really talks to, and what another process needs to talk to the same server. */
import { Redis, type RedisOptions } from 'ioredis'
import { RunnerError } from '../errors.ts'
import { type Client, openClient } from './client.ts'

/** Crosses to other processes as JSON. */
export type Endpoint = Pick<RedisOptions, 'host' | 'port' | 'path' | 'username' | 'password' | 'db' | 'tls'>

/** Throws REDIS_UNSUITABLE for a Cluster: it has many. `client` must have been connected once. */
export async function endpointOf(client: Client): Promise<Endpoint> {
  if (!(client instanceof Redis)) {
    throw new RunnerError(
      'REDIS_UNSUITABLE',
      'this needs a single Redis server, and a Cluster is configured',
      {
        hint: 'point --redis at one server, of the same version if it can be had',
      },
    )
  }
  await client.ping()
  const { path, username, password, db, tls, host } = client.options
  const { remoteAddress, remotePort } = client.stream as { remoteAddress?: string; remotePort?: number }
  // Behind a Sentinel, the address is that of the master it named.
  const place = path === undefined ? { host: remoteAddress ?? host, port: remotePort } : { path }
  // The certificate is for the name, not for the address.
  const servername = tls === undefined ? {} : { tls: { servername: host, ...tls } }
  return JSON.parse(JSON.stringify({ ...place, username, password, db, ...servername })) as Endpoint
}

/** A client of that server, which reconnects for ever. */
export function openEndpoint(endpoint: Endpoint, role: string): Client {
  return openClient({ options: endpoint, location: 'endpoint' }, { role })
}

/**
 * Messages between operators and replicas, by BullMQ's Relay (experimental, hence behind this file): every node has an
 * inbox of its own in Redis, so that a replica which reconnects finds what was said meanwhile.
 *
 * After a restart of Redis that lost its data a node is back with its next heartbeat, `LEASE / 3` at most; until then a
 * message reaches nobody, and `publish` says so.
 */
import { createHash } from 'node:crypto'
import { Relay } from 'bullmq'
import type { Client } from './client.ts'

/** Milliseconds that a node which died is still taken for one. */
const LEASE = 6_000
/** Bytes of a message: a dump of ten thousand running jobs. */
const LARGEST = 16 * 1024 * 1024

export type { Relay }

/**
 * A node of the fleet, registering already; its inbox is read by a connection of its own. Closed, it leaves `client`
 * open. `onError` hears of what a user may not do (keys `<prefix>::relay:*`); an outage is told by other connections.
 */
export function openRelay(
  client: Client,
  prefix: string,
  nodeId: string,
  onError: (error: Error) => void = () => undefined,
): Relay {
  const relay = new Relay({
    connection: client,
    prefix,
    namespace: 'runner',
    // Of few signs and letters only: the name of a host has more.
    nodeId: createHash('sha256').update(nodeId).digest('hex').slice(0, 32),
    maxMessageSize: LARGEST,
    leaseDuration: LEASE,
  })
  relay.on('error', (error: Error) => {
    if (/NOPERM|NOAUTH|WRONGPASS/.test(error.message)) onError(error)
  })
  return relay
}

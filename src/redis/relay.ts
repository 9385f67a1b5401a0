/**
 * Messages between operators and replicas, by BullMQ's Relay (experimental, hence behind this file): every node has an
 * inbox of its own in Redis, so that a replica which reconnects finds what was said meanwhile.
 *
 * After a restart of Redis that lost its data a node is back with its next heartbeat, `LEASE / 3` at most; until then a
 * message reaches nobody, and `publish` says so.
 */
import { Relay } from 'bullmq'
import type { Client } from './client.ts'

/** Milliseconds that a node which died is still taken for one. */
const LEASE = 6_000

export type { Relay }

/**
 * A node of the fleet, registering already; its inbox is read by a connection of its own. Errors of that are those of
 * every other connection, and not told twice. Closed, it leaves `client` open.
 */
export function openRelay(client: Client, prefix: string, nodeId: string): Relay {
  const relay = new Relay({
    connection: client,
    prefix,
    namespace: 'runner',
    nodeId,
    leaseDuration: LEASE,
  })
  relay.on('error', () => undefined)
  return relay
}

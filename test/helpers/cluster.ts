/** A real Cluster of three masters on loopback, with or without a replica of each. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { type TestRedis, freePort, startRedis } from './redis.ts'

const SLOTS = 16_384
const MASTERS = 3

export interface TestCluster extends AsyncDisposable {
  /** Addresses of the masters that it began with. */
  nodes: { host: string; port: number }[]
  /** The masters, and then their replicas, in the same order. */
  servers: TestRedis[]
  /** The server that has the slot of this key now. */
  masterOf(key: string): Promise<TestRedis>
}

/** `replicas`: one for each master, which takes over two to three seconds after its master is gone. */
export async function startCluster({ replicas = false } = {}): Promise<TestCluster> {
  const count = replicas ? 2 * MASTERS : MASTERS
  // The bus is on port + 10000 by default, which a port from the ephemeral range may not leave room for.
  const buses: number[] = []
  while (buses.length < count) buses.push(await freePort())
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1500']
  const servers = await Promise.all(
    buses.map(bus => startRedis({ args: [...args, '--cluster-port', String(bus)] })),
  )
  const clients = servers.map(server => server.client())
  const [first] = clients as [Redis]
  for (const [i, client] of clients.entries()) {
    const bounds = [i, i + 1].map(part => Math.floor((SLOTS * part) / MASTERS)) as [number, number]
    if (i < MASTERS) await client.call('CLUSTER', 'ADDSLOTSRANGE', bounds[0], bounds[1] - 1)
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
    if (i > 0) await first.call('CLUSTER', 'MEET', '127.0.0.1', servers[i]?.port ?? 0, buses[i] ?? 0)
  }
  const agreed = new RegExp(`cluster_state:ok[^]*cluster_known_nodes:${count}`)
  // Gossip has no event to wait for.
  for (const client of clients)
    while (!agreed.test(String(await client.call('CLUSTER', 'INFO')))) await delay(20)
  for (const [i, client] of clients.slice(MASTERS).entries()) {
    const master = String(await clients[i]?.call('CLUSTER', 'MYID'))
    await client.call('CLUSTER', 'REPLICATE', master)
    while (!/master_link_status:up/.test(await client.info('replication'))) await delay(20)
  }
  return {
    nodes: servers.slice(0, MASTERS).map(({ port }) => ({ host: '127.0.0.1', port })),
    servers,
    async masterOf(key) {
      const slot = Number(await first.call('CLUSTER', 'KEYSLOT', key))
      const ranges = (await first.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
      const port = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2][1]
      return servers.find(server => server.port === port) as TestRedis
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map(server => server.stop()))
    },
  }
}

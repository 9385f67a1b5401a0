/** A real Cluster of three masters on loopback, without replicas. */
import { setTimeout as delay } from 'node:timers/promises'
import { type TestRedis, freePort, startRedis } from '../helpers/redis.ts'

const SLOTS = 16_384

export interface TestCluster extends AsyncDisposable {
  nodes: { host: string; port: number }[]
}

export async function startCluster(): Promise<TestCluster> {
  // The bus is on port + 10000 by default, which a port from the ephemeral range may not leave room for.
  const buses = [await freePort(), await freePort(), await freePort()]
  const servers: TestRedis[] = []
  for (const bus of buses)
    servers.push(await startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(bus)] }))
  const clients = servers.map(server => server.client())
  const [first] = clients
  for (const [i, client] of clients.entries()) {
    const bounds = [i, i + 1].map(part => Math.floor((SLOTS * part) / servers.length)) as [number, number]
    await client.call('CLUSTER', 'ADDSLOTSRANGE', bounds[0], bounds[1] - 1)
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
    if (i > 0) await first?.call('CLUSTER', 'MEET', '127.0.0.1', servers[i]?.port ?? 0, buses[i] ?? 0)
  }
  // Gossip has no event to wait for.
  for (const client of clients)
    while (!/cluster_state:ok[^]*cluster_known_nodes:3/.test(String(await client.call('CLUSTER', 'INFO'))))
      await delay(20)
  return {
    nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map(server => server.stop()))
    },
  }
}

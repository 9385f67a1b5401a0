/** A primary, a replica and three Sentinels on loopback, which agree that a primary is gone after a second and a half. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { SilentProxy } from './proxy.ts'
import { type TestRedis, startRedis } from './redis.ts'

const NAME = 'main'
const QUORUM = 2
const SENTINELS = 3

export interface TestSentinel extends AsyncDisposable {
  /** As the `redis` setting has it. */
  target: { sentinels: { host: string; port: number }[]; name: string }
  /** Those that it began with. */
  primary: TestRedis
  replica: TestRedis
  /** What the replica gets its data through, for eight seconds after `useProxy`. */
  replication: SilentProxy
  /** Sentinels see to it that a replica follows the address that they know. Resolves when it is in sync. */
  useProxy(): Promise<void>
  /** Resolves when the Sentinels name this server as the primary, and it is one. */
  untilPrimary(server: TestRedis): Promise<void>
  /** Resolves when this server is a replica that has all data of its primary. */
  untilReplica(server: TestRedis): Promise<void>
}

export async function startSentinel(): Promise<TestSentinel> {
  const [primary, replica] = await Promise.all([startRedis(), startRedis()])
  const replication = await SilentProxy.open(primary)
  const follower = replica.client()
  const follow = async (port: number) => {
    await follower.replicaof('127.0.0.1', port)
    await untilInSync(follower)
  }
  await follow(primary.port)
  const config = [
    `sentinel monitor ${NAME} 127.0.0.1 ${primary.port} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} 1500`,
    `sentinel failover-timeout ${NAME} 10000`,
    '',
  ].join('\n')
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () => startRedis({ config, args: ['--sentinel'] })),
  )
  const clients = sentinels.map(sentinel => sentinel.client())
  for (const client of clients) await untilComplete(client)
  const untilPrimary = async ({ port }: TestRedis) => {
    for (const client of clients) {
      const named = async () => (await client.call('SENTINEL', 'get-master-addr-by-name', NAME)) as string[]
      while (Number((await named())[1]) !== port) await delay(20)
    }
  }
  return {
    target: { sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })), name: NAME },
    primary,
    replica,
    replication,
    useProxy: () => follow(replication.port),
    untilPrimary,
    async untilReplica(server) {
      const client = server.client()
      await untilInSync(client)
      client.disconnect()
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...sentinels, primary, replica].map(server => server.stop()))
      await replication[Symbol.asyncDispose]()
    },
  }
}

async function untilInSync(client: Redis): Promise<void> {
  while (!/role:slave[^]*master_link_status:up/.test(await client.info('replication'))) await delay(20)
}

/** It knows of the replica and of the two others. */
async function untilComplete(client: Redis): Promise<void> {
  for (;;) {
    const flat = (await client.call('SENTINEL', 'MASTER', NAME)) as string[]
    const field = (name: string) => Number(flat[flat.indexOf(name) + 1])
    if (field('num-slaves') === 1 && field('num-other-sentinels') === SENTINELS - 1) return
    await delay(20)
  }
}

/** The server of redis.ts from a container engine: for a machine without redis-server, and tests that do not steer its process. */
import { Redis } from 'ioredis'
import { GenericContainer, Wait } from 'testcontainers'
import type { TestRedis, TestRedisOptions } from './redis.ts'

const PORT = 6379

export async function startRedisContainer({ args = [], ...rest }: TestRedisOptions, defaults: string[]) {
  const [unmet] = Object.keys(rest)
  if (unmet !== undefined) return needsProcess(unmet)
  // Its members tell each other addresses that only containers reach.
  if (args.includes('--cluster-enabled')) return needsProcess('a Cluster')
  const server = await new GenericContainer('redis:7')
    .withCommand(['--bind', '0.0.0.0', '--protected-mode', 'no', '--dir', '/data', ...defaults, ...args])
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .start()
  const port = server.getMappedPort(PORT)
  const host = server.getHost()
  const clients = new Set<Redis>()
  let stopped: Promise<void> | undefined
  const redis: TestRedis = {
    url: `redis://${host}:${port}`,
    port,
    get pid() {
      return needsProcess('pid')
    },
    get dir() {
      return needsProcess('dir')
    },
    client() {
      const client = new Redis({ host, port, maxRetriesPerRequest: null, retryStrategy: () => 50 })
      client.on('error', () => undefined)
      clients.add(client)
      return client
    },
    stop: () =>
      (stopped ??= (async () => {
        for (const client of clients) client.disconnect()
        await server.stop()
      })()),
    restart: () => needsProcess('restart'),
    freeze: () => needsProcess('freeze'),
    thaw: () => needsProcess('thaw'),
    async flush() {
      const client = redis.client()
      await client.flushall()
      client.disconnect()
      clients.delete(client)
    },
    [Symbol.asyncDispose]: () => redis.stop(),
  }
  return redis
}

function needsProcess(what: string): never {
  throw new Error(`${what} needs a redis-server of this machine: run this test without TEST_REDIS=container`)
}

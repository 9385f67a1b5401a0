/** What an autoscaler may be given of a queue. `target`: of one replica. */
import type { Redis } from 'ioredis'
import { resolveConfig } from '../../src/config.ts'
import { openRedis } from '../../src/redis/connection.ts'
import { ScaleReader } from '../../src/scaling/reader.ts'

export type Signal = 'list' | 'wait+active' | 'ours'

export interface Gauge extends AsyncDisposable {
  target: number
  read(): Promise<number>
}

export interface GaugeOptions {
  url: string
  client: Redis
  queue: string
  concurrency: number
  /** How many times faster than the clock of the walls it is. */
  speed: number
}

const NOTHING = { [Symbol.asyncDispose]: () => Promise.resolve() }

export const GAUGES: Record<Signal, (options: GaugeOptions) => Promise<Gauge>> = {
  /** KEDA's redis trigger as most write it. */
  list: ({ client, queue }) =>
    Promise.resolve({ ...NOTHING, target: 10, read: () => client.llen(`bull:${queue}:wait`) }),
  'wait+active': ({ client, queue, concurrency }) =>
    Promise.resolve({
      ...NOTHING,
      target: concurrency,
      read: async () =>
        (await client.llen(`bull:${queue}:wait`)) + (await client.llen(`bull:${queue}:active`)),
    }),
  ours: async ({ url, queue, concurrency, speed }) => {
    // All times are as much shorter as the clock is faster: otherwise they are the defaults.
    const flags = Object.fromEntries(
      Object.entries({
        drainTarget: 60_000,
        latencyObjective: 60_000,
        scaleLead: 45_000,
        jobTime: 1_000,
      }).map(([key, ms]) => [key, Math.round(ms / speed)]),
    )
    const config = await resolveConfig({ cwd: '/nonexistent', env: {}, flags: { ...flags, redis: url } })
    const redis = await openRedis(config)
    const reader = new ScaleReader({ redis, config, concurrencyOf: () => concurrency })
    return {
      target: 1,
      read: async () => (await reader.read(queue)).desiredReplicas,
      [Symbol.asyncDispose]: () => redis.close(),
    }
  },
}

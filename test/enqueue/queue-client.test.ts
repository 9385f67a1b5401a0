import { once } from 'node:events'
import { expect, test } from 'vitest'
import { openQueue } from '../../src/enqueue/queue-client.ts'
import { resolveConfig } from '../../src/config.ts'
import { startRedis } from '../helpers/redis.ts'

test('closes while its connections are between two attempts to reconnect', async () => {
  await using redis = await startRedis()
  const config = await resolveConfig({ cwd: import.meta.dirname, env: { REDIS_URL: redis.url }, flags: {} })
  const output = { format: 'text', print() {}, note() {} } as const
  const client = await openQueue(config, { named: 'q', job: 'report', ofFile: 'q' }, output)
  const events = await client.events()
  events.run().catch(() => {})
  const { connection } = client.queue.opts
  const reconnecting = once(connection as unknown as NodeJS.EventEmitter, 'reconnecting')
  // BullMQ's connection for the stream breaks in the same moment, and waits for its next attempt as ours does.
  await Promise.all([reconnecting, redis.stop()])
  expect(await client[Symbol.asyncDispose]()).toBeUndefined()
})

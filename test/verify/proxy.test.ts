import { afterAll, beforeAll, expect, it } from 'vitest'
import { Redis } from 'ioredis'
import { Proxy } from '../../src/verify/proxy.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

it('passes on, breaks what is open when it is cut, refuses what is new, and passes on again', async () => {
  const proxy = await Proxy.open({ host: '127.0.0.1', port: redis.port })
  const client = new Redis({ port: proxy.port, retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => undefined)
  expect(await client.set('a', '1')).toBe('OK')
  const closed = new Promise(resolve => client.once('close', resolve))
  proxy.cut()
  await closed
  const waiting = client.get('a')
  await expect(
    new Redis({ port: proxy.port, retryStrategy: () => null, lazyConnect: true }).connect(),
  ).rejects.toThrow('Connection is closed')
  proxy.mend()
  expect(await waiting).toBe('1')
  client.disconnect()
  await proxy.close()
})

import { EventEmitter, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { describe, expect, it, vi } from 'vitest'
import { type Client, openClient, reconnectDelay } from '../../src/redis/client.ts'
import { freePort, startRedis } from '../helpers/redis.ts'
import type { Target } from '../../src/redis/target.ts'
import { open } from './open.ts'

/** Not events.once(): that one fails on the 'error' which tells why. */
const closed = (client: Client) => new Promise(resolve => client.once('close', resolve))

describe('a client', () => {
  it('waits out an outage: what was sent meanwhile is answered afterwards, and nothing is thrown', async () => {
    await using redis = await startRedis()
    const handle = await open(redis.url)
    const client = handle.connect('worker')
    await client.set('key', 'value')
    const lost = closed(client)
    const restarted = redis.restart()
    await lost
    expect(await client.get('key')).toBe('value')
    await restarted
    await handle.close()
  })

  it('closes at once while the server is down', async () => {
    const redis = await startRedis()
    const handle = await open(redis.url)
    const client = handle.connect('worker')
    await once(client, 'ready')
    const lost = closed(client)
    await redis.stop()
    await lost
    const pending = client.get('key').catch((error: Error) => error.message)
    await handle.close()
    expect(await pending).toContain('closed')
  })

  it('is not held up by a blocking command when it is closed', async () => {
    await using redis = await startRedis()
    const handle = await open(redis.url)
    const blocked = handle
      .connect('worker')
      .bzpopmin('none', 60)
      .catch((error: Error) => error.message)
    await once(handle.connect('other'), 'ready')
    const start = Date.now()
    await handle.close()
    expect(Date.now() - start).toBeLessThan(20_000)
    expect(await blocked).toContain('closed')
  })

  it('is cut and connects again when a command stays unanswered, and only then', async () => {
    await using redis = await startRedis()
    const handle = await open({ host: '127.0.0.1', port: redis.port, socketTimeout: 200 })
    const client = handle.connect('worker')
    await once(client, 'ready')
    let cut = 0
    client.on('close', () => cut++)
    // Several times the limit without a command: an idle client is left alone.
    await delay(700)
    expect(cut).toBe(0)
    redis.freeze()
    const answer = client.ping()
    await closed(client)
    redis.thaw()
    expect(await answer).toBe('PONG')
    await handle.close()
  })

  it('shows its role in CLIENT LIST, without what a name may not have', async () => {
    await using redis = await startRedis()
    const handle = await open(redis.url)
    expect(await handle.connect('work er\n1').client('GETNAME')).toBe('runner:work-er-1')
    await handle.close()
  })

  it('keeps what BullMQ needs, whatever the config file says', async () => {
    await using redis = await startRedis()
    const handle = await open({
      host: '127.0.0.1',
      port: redis.port,
      maxRetriesPerRequest: 3,
      commandTimeout: 100,
      lazyConnect: true,
      connectionName: 'mine',
    })
    const client = handle.connect('worker')
    await once(client, 'ready')
    expect(client.options).toMatchObject({ maxRetriesPerRequest: null, connectionName: 'runner:worker' })
    expect(await client.bzpopmin('none', 0.3)).toBe(null)
    await handle.close()
  })
})

/** Nobody answers there. */
const nodes = async () => [{ host: '127.0.0.1', port: await freePort() }]

describe('a connection that never answers', () => {
  it.each([
    ['of a Cluster', (client: Client) => client],
    [
      'of the client that BullMQ makes of it to wait for jobs',
      (client: Client) => (client as Redis).duplicate(),
    ],
  ])('%s is cut after 5 s', async (_whose, pick) => {
    const client = openClient({ nodes: await nodes(), options: {} } as Target, { role: 'worker' })
    const picked = pick(client)
    picked.on('error', () => undefined)
    vi.useFakeTimers()
    const destroy = vi.fn<(error: Error) => void>()
    const stream = Object.assign(new EventEmitter(), { bytesRead: 0, destroy })
    const node = Object.assign(new EventEmitter(), { stream, duplicate: () => node })
    picked.emit('+node', node)
    node.emit('connect')
    vi.advanceTimersByTime(4_900)
    expect(destroy).not.toHaveBeenCalled()
    vi.advanceTimersByTime(200)
    expect(destroy.mock.calls).toEqual([[new Error('no answer within 5000 ms')]])
    vi.useRealTimers()
    picked.disconnect()
    client.disconnect()
  })
})

describe('reconnectDelay', () => {
  it('grows to two seconds at most and never reaches zero', () => {
    expect(reconnectDelay(1)).toBeLessThanOrEqual(100)
    for (const attempt of [1, 2, 5, 10, 100, 100_000]) {
      expect(reconnectDelay(attempt)).toBeGreaterThanOrEqual(50)
      expect(reconnectDelay(attempt)).toBeLessThanOrEqual(2_000)
    }
    expect(reconnectDelay(100)).toBeGreaterThanOrEqual(1_000)
  })
})

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Queue, QueueEvents, Worker } from 'bullmq'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { Flows } from '../../src/fleet/flows.ts'
import type { RedisHandle } from '../../src/redis/connection.ts'
import { openLate } from '../../src/redis/late-connection.ts'
import { freePort, startRedis } from '../helpers/redis.ts'
import { startCluster } from '../helpers/cluster.ts'
import { startFakeServer } from './fake-server.ts'
import { failure, open } from './open.ts'

/** One job through a queue and a worker, on connections of the handle. Resolves with what the worker returned. */
async function roundTrip(handle: RedisHandle): Promise<unknown> {
  const { prefix } = handle
  const queue = new Queue('q', { connection: handle.connect('queue'), prefix })
  // From the first event on: it starts to read some time after it is ready, and the job may be done by then.
  const events = new QueueEvents('q', { connection: handle.connect('events'), prefix, lastEventId: '0' })
  const worker = new Worker('q', job => Promise.resolve(job.data.a + 1), {
    connection: handle.connect('worker'),
    prefix,
  })
  try {
    await events.waitUntilReady()
    const job = await queue.add('name', { a: 1 })
    return await job.waitUntilFinished(events)
  } finally {
    await Promise.all([worker.close(), events.close(), queue.close()])
  }
}

/** A flow over two queues, with an id that is watched: added twice. */
async function flowTwice(handle: RedisHandle): Promise<boolean[]> {
  const flows = new Flows(
    () => handle.connect('flows'),
    handle.prefix,
    () => undefined,
  )
  const leaf = { name: 'b', payload: '{}', options: { queue: 'other' }, children: [] }
  const flow = { name: 'a', payload: '{}', options: { id: 'root' }, children: [leaf] }
  const add = () => flows.add(flow, () => ({ queue: 'q' }))
  const answers = [await add(), await add()]
  await flows.close()
  return answers.map(({ added }) => added)
}

describe('openRedis', () => {
  it('makes clients that a queue, a worker and its events run on, and closes them all', async () => {
    await using redis = await startRedis()
    const handle = await open(redis.url)
    expect(await roundTrip(handle)).toBe(2)
    const clients = [handle.connect('a'), handle.connect('b')]
    await Promise.all(clients.map(client => once(client, 'ready')))
    await handle.close()
    await handle.close()
    expect(clients.map(({ status }) => status)).toEqual(['end', 'end'])
    expect(() => handle.connect('late')).toThrow('closed')
  })

  it('is tried again for what starts before Redis, until that is stopped; what no waiting mends ends it', async () => {
    const late = (redis: string, signal: AbortSignal) => {
      const told: string[] = []
      const config = { redis, prefix: 'bull', cwd: '/nonexistent', redisFrom: '--redis' }
      const onUnreachable = ({ code }: { code: string }) => void told.push(code)
      return { told, opened: openLate(config, { signal, onUnreachable }) }
    }
    const never = new AbortController()
    await using old = await startFakeServer({ info: 'redis_version:5.0.0\r\nrole:master' })
    expect((await failure(late(old.url, never.signal).opened)).code).toBe('REDIS_UNSUITABLE')
    expect((await failure(late('http://127.0.0.1', never.signal).opened)).code).toBe('CONFIG_INVALID')
    const port = await freePort()
    const stop = new AbortController()
    const [kept, given] = [never, stop].map(({ signal }) => late(`redis://127.0.0.1:${port}`, signal))
    await expect.poll(() => [kept?.told, given?.told]).toEqual([['REDIS_UNREACHABLE'], ['REDIS_UNREACHABLE']])
    stop.abort()
    expect(await given?.opened).toBeUndefined()
    await using redis = await startRedis({ port })
    await using handle = await kept?.opened
    expect(handle?.location).toBe(redis.url)
  })

  it('reaches a unix socket', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'test-socket-'))
    await using redis = await startRedis({ dir, args: ['--unixsocket', join(dir, 'r.sock')] })
    for (const url of [`unix://${dir}/r.sock`, `${dir}/r.sock?db=1`]) {
      const handle = await open(url)
      expect(await handle.connect('x').client('INFO')).toMatch(url.endsWith('db=1') ? /db=1/ : /db=0/)
      expect(handle.location).toBe(`unix:${dir}/r.sock`)
      await handle.close()
    }
    await redis.stop()
    rmSync(dir, { recursive: true })
  })

  it('reaches a TLS port with a trusted certificate, and tells why not with another', async ({ skip }) => {
    const dir = mkdtempSync(join(tmpdir(), 'test-tls-'))
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
    execFileSync(
      'openssl',
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=test -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`.split(
        ' ',
      ),
      { stdio: 'pipe' },
    )
    const port = await freePort()
    const tls = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert]
    const redis = await startRedis({
      args: ['--tls-port', String(port), ...tls, '--tls-auth-clients', 'no', '--requirepass', 's3cret'],
    }).catch((error: Error) => (/tls/i.test(error.message) ? undefined : Promise.reject(error)))
    if (redis === undefined) throw skip('this redis-server has no TLS')
    const handle = await open({
      host: '127.0.0.1',
      port,
      password: 's3cret',
      tls: { ca: readFileSync(cert) },
    })
    expect(handle.location).toBe(`rediss://127.0.0.1:${port}`)
    expect(await roundTrip(handle)).toBe(2)
    await handle.close()
    const error = await failure(open(`rediss://:s3cret@127.0.0.1:${port}`))
    expect(error.code).toBe('REDIS_UNREACHABLE')
    expect(error.message).toMatch(/self.signed/)
    expect(error.hint).toContain('NODE_EXTRA_CA_CERTS')
    expect(error.message).not.toContain('s3cret')
    await redis.stop()
    rmSync(dir, { recursive: true })
  })

  it('asks a Sentinel for the primary', async () => {
    await using primary = await startRedis()
    await using sentinel = await startRedis({
      config: `sentinel monitor main 127.0.0.1 ${primary.port} 1\n`,
      args: ['--sentinel'],
    })
    const sentinels = [{ host: '127.0.0.1', port: sentinel.port }]
    const handle = await open({ sentinels, name: 'main' })
    expect(handle.connect('x')).toBeInstanceOf(Redis)
    expect(await roundTrip(handle)).toBe(2)
    expect(await primary.client().exists('bull:q:meta')).toBe(1)
    await handle.close()
    const error = await failure(open({ sentinels, name: 'other' }))
    expect(error.message).toContain('sentinel group other')
    expect(error.hint).toContain('name')
  })

  it('runs jobs on a Cluster with a hash tag in the prefix, and refuses one without', async () => {
    await using cluster = await startCluster()
    const { nodes } = cluster
    const handle = await open({ cluster: nodes.slice(0, 1) }, '{bull}')
    expect(handle.connect('x')).toBeInstanceOf(Cluster)
    expect(handle.warnings).toEqual([])
    expect(await roundTrip(handle)).toBe(2)
    expect(await flowTwice(handle)).toEqual([true, false])
    await handle.close()
    expect((await failure(open({ cluster: nodes }, 'bull'))).code).toBe('CONFIG_INVALID')
    const single = await failure(open(`redis://127.0.0.1:${nodes[0]?.port}`, '{bull}'))
    expect(single.code).toBe('REDIS_UNSUITABLE')
  })
})

import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { startRedis } from '../helpers/redis.ts'
import { startFakeServer } from './fake-server.ts'
import { failure, open } from './open.ts'

const FINE = 'redis_version:7.2.4\r\nrole:master\r\nmaxmemory_policy:noeviction'

describe('the look at the server', () => {
  it('finds nothing wrong with a good one', async () => {
    await using redis = await startRedis()
    const handle = await open(redis.url)
    expect(handle).toMatchObject({ location: redis.url, prefix: 'bull', embedded: false, warnings: [] })
    expect(handle.version).toMatch(/^(Redis|Valkey) \d+\.\d+/)
    expect(handle.roundTrip).toBeGreaterThan(0)
    expect(handle.roundTrip).toBeLessThan(50)
    await handle.close()
  })

  it.each(['5.0.0', '6.0.16', '6.1.9'])('refuses version %s and says which is needed', async version => {
    await using server = await startFakeServer({ info: `redis_version:${version}\r\nrole:master` })
    const error = await failure(open(server.url))
    expect(error.code).toBe('REDIS_UNSUITABLE')
    expect(error.message).toContain(`is version ${version}, at least 6.2`)
  })

  it.each([
    ['redis_version:6.2.0', 'Redis 6.2.0'],
    ['redis_version:10.0.0', 'Redis 10.0.0'],
    ['redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1', 'Valkey 8.0.1'],
  ])('takes %j as %s', async (info, version) => {
    await using server = await startFakeServer({ info })
    const handle = await open(server.url)
    expect(handle.version).toBe(version)
    await handle.close()
  })

  it('warns of an eviction policy with the command that fixes it, and that command does', async () => {
    await using redis = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
    const before = await open(redis.url)
    expect(before.warnings).toHaveLength(1)
    expect(before.warnings[0]).toContain('maxmemory-policy allkeys-lru')
    expect(before.warnings[0]).toContain('jobs vanish')
    const [, fix = ''] = /fix: (.+)$/.exec(before.warnings[0] ?? '') ?? []
    const [command = '', ...args] = fix.split(' ')
    await redis.client().call(command, ...args)
    const after = await open(redis.url)
    expect(after.warnings).toEqual([])
    await before.close()
    await after.close()
  })

  it('refuses a replica and names its primary', async () => {
    await using primary = await startRedis()
    await using replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${primary.port}`] })
    const error = await failure(open(replica.url))
    expect(error.code).toBe('REDIS_UNSUITABLE')
    expect(error.message).toContain('read-only replica')
    expect(error.hint).toContain(`127.0.0.1:${primary.port}`)
  })

  it('refuses a node of a Cluster that was given as a single server', async () => {
    await using server = await startFakeServer({ info: `${FINE}\r\nredis_mode:cluster` })
    expect((await failure(open(server.url))).hint).toContain('cluster: [')
  })

  it('warns of a slow way', async () => {
    await using server = await startFakeServer({ info: FINE, pingDelay: 60 })
    const handle = await open(server.url)
    expect(handle.roundTrip).toBeGreaterThan(50)
    expect(handle.warnings[0]).toMatch(/is \d+ ms away/)
    await handle.close()
  })

  it('warns when INFO is forbidden, and its clients never ask for it', async () => {
    await using redis = await startRedis()
    const admin = redis.client()
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '&*', '+@all', '-info')
    const handle = await open(`redis://app:pw@127.0.0.1:${redis.port}`)
    expect(handle.warnings[0]).toContain('may not run INFO')
    await admin.call('ACL', 'LOG', 'RESET')
    const client = handle.connect('worker')
    await once(client, 'ready')
    expect(await client.ping()).toBe('PONG')
    expect(await admin.call('ACL', 'LOG')).toEqual([])
    await handle.close()
  })
})

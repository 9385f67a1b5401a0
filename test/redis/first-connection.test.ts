import { type AddressInfo, connect, createServer } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { freePort, startRedis } from '../helpers/redis.ts'
import { failure, open } from './open.ts'

describe('the first connection', () => {
  it('fails soon when nothing listens, and says where and why', async () => {
    const port = await freePort()
    const start = Date.now()
    const error = await failure(open(`redis://me:s3cret@localhost:${port}`))
    expect(error.code).toBe('REDIS_UNREACHABLE')
    expect(error.message).toContain(`redis://localhost:${port}`)
    expect(error.message).toContain('ECONNREFUSED')
    expect(error.message).not.toContain('s3cret')
    expect(error.exitCode).toBe(4)
    expect(Date.now() - start).toBeLessThan(3_000)
  })

  it('fails when the socket file is not there', async () => {
    const error = await failure(open('unix:///nonexistent/redis.sock'))
    expect(error.message).toMatch(/unix:\/nonexistent\/redis.sock .*ENOENT/)
  })

  it('tries again while a server is being started', async () => {
    const port = await freePort()
    const opening = open(`redis://127.0.0.1:${port}`)
    // The first try has been refused by the time that this one is.
    await once(connect(port, '127.0.0.1'), 'error')
    await using redis = await startRedis({ port })
    const handle = await opening
    expect(handle.location).toBe(redis.url)
    await handle.close()
  })

  it('tells a wrong password from a missing one, and repeats none', async () => {
    await using redis = await startRedis({ args: ['--requirepass', 'right'] })
    const wrong = await failure(open(`redis://:s3cret@127.0.0.1:${redis.port}`))
    expect(wrong.code).toBe('REDIS_UNREACHABLE')
    expect(wrong.message).toContain('WRONGPASS')
    expect(JSON.stringify(wrong) + wrong.message + wrong.stack).not.toContain('s3cret')
    expect(wrong.hint).toContain('password')
    expect((await failure(open(redis.url))).message).toContain('NOAUTH')
    await (await open(`redis://:right@127.0.0.1:${redis.port}`)).close()
  })

  it.each([
    [
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      'what answers there is no Redis, it begins with "H"',
      'check host and port',
    ],
    [
      '220 mail.example.org ESMTP\r\n',
      'what answers there is no Redis, it begins with "2"',
      'check host and port',
    ],
    ['\x15\x03\x01\0\x02\x02\x46', 'it speaks TLS', 'write rediss://'],
  ])('says at once that another kind of server answers: %j', async (greeting, reason, hint) => {
    const server = createServer(socket => socket.on('error', () => {}).write(greeting)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const start = Date.now()
    const error = await failure(open(`redis://127.0.0.1:${port}`))
    server.close()
    expect(error.code).toBe('REDIS_UNREACHABLE')
    expect(error.message).toBe(`Redis at redis://127.0.0.1:${port} cannot be reached: ${reason}`)
    expect(error.hint).toContain(hint)
    expect(Date.now() - start).toBeLessThan(1_500)
  })

  it('does not go on in database 0 when the one that was asked for does not exist', async () => {
    await using redis = await startRedis()
    const error = await failure(open(`${redis.url}/99`))
    expect(error.message).toContain('DB index is out of range')
  })

  it('gives up on a server that accepts and stays silent', async () => {
    await using redis = await startRedis()
    redis.freeze()
    const start = Date.now()
    const error = await failure(open(redis.url))
    expect(error.message).toContain('no answer')
    expect(Date.now() - start).toBeLessThan(6_500)
  })

  it('says so when a Cluster was meant and the server is none', async () => {
    await using redis = await startRedis()
    const error = await failure(open({ cluster: [{ host: '127.0.0.1', port: redis.port }] }, '{bull}'))
    expect(error.message).toContain('cluster support disabled')
  })
})

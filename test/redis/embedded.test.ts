import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRedis } from '../../src/redis/connection.ts'
import { privateFolder } from '../../src/redis/private-folder.ts'
import { isLong } from '../helpers/long.ts'
import { type User, gone, isAlive, keeperOf, killed, startUser } from './user.ts'

const AT_ONCE = isLong ? 8 : 4

let cwd: string
let users: User[]

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'test ü-'))
  users = []
})

afterEach(async () => {
  await Promise.all(users.map(user => user.kill()))
  for (const { report } of users) if (report.error === undefined) await gone(report.server)
  rmSync(cwd, { recursive: true, force: true, maxRetries: 5 })
})

async function user(env?: Record<string, string>): Promise<User> {
  const started = await startUser(cwd, env)
  users.push(started)
  return started
}

const open = (folder = cwd) =>
  openRedis({ redis: undefined, prefix: 'bull', cwd: folder, redisFrom: 'redis' })

describe('the private server', () => {
  it('is started by the first user, said once, shared by the next', async () => {
    const first = await user()
    const second = await user()
    expect(first.report.messages).toEqual([
      expect.stringMatching(
        /^redis: private server under \.runner\/ \((redis|valkey)-server \d+\.\d+\.\d+\)$/,
      ),
    ])
    expect(second.report).toMatchObject({ messages: [], server: first.report.server, count: 2 })
    expect(readFileSync(join(cwd, '.runner/.gitignore'), 'utf8')).toBe('*\n')
    for (const name of ['redis.sock', 'keeper.sock'])
      expect(statSync(join(cwd, '.runner', name)).mode & 0o777).toBe(0o700)
  })

  it('listens on no port, evicts nothing and writes what it gets to disk', async () => {
    const handle = await open()
    expect(handle).toMatchObject({ embedded: true, warnings: [] })
    const client = handle.connect('test')
    for (const [name, value] of [
      ['port', '0'],
      ['maxmemory-policy', 'noeviction'],
      ['appendonly', 'yes'],
      ['appendfsync', 'everysec'],
      ['save', ''],
    ])
      expect(await client.config('GET', name as string)).toEqual([name, value])
    const [, server = ''] = /process_id:(\d+)/.exec(await client.info('server')) ?? []
    await handle.close()
    await handle.close()
    await gone(Number(server))
  })

  it('goes with its last user, SIGKILLed or not, and not before', async () => {
    const [first, second] = [await user(), await user()]
    await first.leave()
    // Longer than the keeper waits for another user.
    await delay(1_300)
    expect(isAlive(second.report.server)).toBe(true)
    const keeper = await keeperOf(cwd)
    await second.kill()
    await gone(second.report.server)
    await gone(keeper)
  })

  it('keeps jobs for the next start', async () => {
    const first = await open()
    const queue = new Queue('q', { connection: first.connect('queue') })
    const job = await queue.add('name', { a: 1 })
    const [, server = ''] = /process_id:(\d+)/.exec(await first.connect('info').info('server')) ?? []
    await queue.close()
    await first.close()
    await gone(Number(server))
    const second = await open()
    const again = new Queue('q', { connection: second.connect('queue') })
    expect((await again.getJob(job.id ?? ''))?.data).toEqual({ a: 1 })
    await again.close()
    await second.close()
  })

  it(`is one, when ${AT_ONCE} start at the same time, whatever the last ones left behind`, async () => {
    for (const left of ['nothing', 'stale sockets', 'a server without keeper']) {
      const started = await Promise.all(Array.from({ length: AT_ONCE }, () => user()))
      const servers = new Set(started.map(({ report }) => report.server))
      expect([...servers], `after ${left}`).toHaveLength(1)
      // None, when a keeper that was started in vain outlived the one that was killed and took its place.
      const lines = started.flatMap(({ report }) => report.messages)
      expect(lines.length, `after ${left}`).toBeLessThanOrEqual(1)
      const keeper = await keeperOf(cwd)
      await Promise.all(started.map(one => one.kill()))
      await killed(keeper)
      const [server = 0] = servers
      if (left === 'nothing') await killed(server)
    }
    // The last round's server has lost its keeper: one more user ends it before it starts its own.
    const last = await user()
    expect(last.report.count).toBe(3 * AT_ONCE + 1)
    await last.leave()
  })

  it('comes back for the users that are left when the keeper or the server is killed', async () => {
    const handle = await open()
    const client = handle.connect('test')
    await client.set('kept', 'yes')
    await client.call('WAITAOF', 1, 0, 1000).catch(() => delay(1_100))
    for (const victim of ['keeper', 'server']) {
      const [, server = ''] = /process_id:(\d+)/.exec(await client.info('server')) ?? []
      process.kill(victim === 'server' ? Number(server) : await keeperOf(cwd), 'SIGKILL')
      await gone(Number(server))
      expect(await client.get('kept'), `after the ${victim} was killed`).toBe('yes')
    }
    const [, server = ''] = /process_id:(\d+)/.exec(await client.info('server')) ?? []
    await handle.close()
    await gone(Number(server))
  })

  it('starts anew when .runner/ was removed, and the old one leaves the new one alone', async () => {
    const first = await user()
    const oldKeeper = await keeperOf(cwd)
    await first.leave()
    rmSync(join(cwd, '.runner'), { recursive: true })
    const second = await user()
    expect(second.report).toMatchObject({ count: 1, messages: [expect.any(String)] })
    expect(second.report.server).not.toBe(first.report.server)
    await gone(oldKeeper)
    await gone(first.report.server)
    const third = await user()
    expect(third.report).toMatchObject({ count: 2, server: second.report.server })
  })

  it('has nothing of its user: no stream, no terminal, no session', async () => {
    const { report, child } = await user()
    const keeper = await keeperOf(cwd)
    const closed = new Promise(resolve => child.stdout?.once('close', resolve))
    child.kill('SIGKILL')
    // `runner ... | cat` ends when the last writer of the pipe is gone, while the server still lingers.
    await closed
    expect(isAlive(report.server)).toBe(true)
    if (process.platform === 'linux') {
      const [, , , , , session, tty] = readFileSync(`/proc/${keeper}/stat`, 'utf8')
        .replace(/\(.*\)/, 'x')
        .split(' ')
      expect([session, tty]).toEqual([String(keeper), '0'])
    }
  })

  it('is found through a symlink, and works where the path is too long for a socket', async () => {
    const long = join(cwd, 'x'.repeat(120))
    mkdirSync(long)
    symlinkSync(long, join(cwd, 'link'))
    const [direct, linked] = [await open(long), await open(join(cwd, 'link'))]
    await direct.connect('test').set('key', 'value')
    const client = linked.connect('test')
    expect(await client.get('key')).toBe('value')
    const [, server = ''] = /process_id:(\d+)/.exec(await client.info('server')) ?? []
    const sockets = join(privateFolder(join(long, '.runner')).serverSocket, '..')
    expect(statSync(sockets).mode & 0o777).toBe(0o700)
    await direct.close()
    await linked.close()
    await gone(Number(server))
    rmSync(sockets, { recursive: true, force: true })
  })

  it('says what its log says when it cannot start', async () => {
    mkdirSync(join(cwd, '.runner/appendonlydir'), { recursive: true })
    writeFileSync(join(cwd, '.runner/appendonlydir/appendonly.aof.manifest'), 'rubbish\n')
    const { report } = await user()
    expect(report.error?.code).toBe('REDIS_SERVER_FAILED')
    expect(report.error?.message).toMatch(/AOF|manifest/i)
    expect(report.error?.hint).toContain('.runner/redis.log')
  })

  it('says what to install where there is no program', async ({ skip }) => {
    const { findServerBinary } = await import('../../src/redis/server-binary.ts')
    if (findServerBinary('/nonexistent') !== undefined)
      skip('a server program is in a folder looked at always')
    const { report } = await user({ PATH: '/nonexistent' })
    expect(report.error?.code).toBe('REDIS_SERVER_MISSING')
    expect(report.error?.hint).toMatch(
      /^install one(?: with `[^`]+`)?, or name a server elsewhere with --redis URL or REDIS_URL$/,
    )
  })

  it('refuses a folder that cannot be written', async () => {
    writeFileSync(join(cwd, 'file'), '')
    await expect(open(join(cwd, 'file'))).rejects.toMatchObject({ code: 'REDIS_SERVER_FAILED' })
  })
})

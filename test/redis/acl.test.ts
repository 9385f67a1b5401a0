/**
 * The users of deploy/redis/users.acl against a real server: each does all that it is for, and Redis refuses it nothing
 * (its own list of refusals stays empty); what it is not for is refused.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FlowProducer, Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { messageOf } from '../../src/errors.ts'
import { openRedis } from '../../src/redis/connection.ts'
import { untilState } from '../helpers/fleet.ts'
import { project, type Project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { session, type Said } from '../helpers/session.ts'
import { JOBS, VERBS } from './acl-project.ts'
import { failure } from './open.ts'

const USERS = ['producer', 'worker', 'operator', 'reader'] as const
type User = (typeof USERS)[number]
const ACL = readFileSync(new URL('../../deploy/redis/users.acl', import.meta.url), 'utf8')

let redis: TestRedis
let admin: Redis
let folder: string
let app: Project
const opened: Redis[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acl-'))
  const users = ACL.replaceAll(/#([A-Z]+)_SHA256/g, (_, name: string) => `#${hash(name.toLowerCase())}`)
  writeFileSync(join(folder, 'users.acl'), users)
  redis = await startRedis({ args: ['--aclfile', join(folder, 'users.acl'), '--acllog-max-len', '1000'] })
  admin = redis.client()
  await admin.acl(
    'SETUSER',
    'nobody',
    'on',
    `#${hash('nobody')}`,
    '-@all',
    '+hello',
    '+auth',
    '+ping',
    '+info',
  )
  app = project(JOBS)
})
beforeEach(async () => void (await admin.acl('LOG', 'RESET')))
afterAll(async () => {
  for (const client of opened) client.disconnect()
  await redis.stop()
  app[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const passwordOf = (user: string) => `pass-of-${user}`
const hash = (user: string) => createHash('sha256').update(passwordOf(user)).digest('hex')
const urlOf = (user: User) => `redis://${user}:${passwordOf(user)}@127.0.0.1:${redis.port}`

function openAs(user: User): Redis {
  const client = new Redis(urlOf(user))
  opened.push(client)
  return client
}

/** As Redis wrote them down: '<user> <command or key> in <toplevel, lua or multi>'. */
async function refusals(): Promise<string[]> {
  const log = (await admin.acl('LOG', 1_000)) as unknown[][]
  return log.map(entry => {
    const of = (name: string) => String(entry[entry.indexOf(name) + 1])
    return `${of('username')} ${of('object')} in ${of('context')}`
  })
}

/** Of one user: its command lines, none of which Redis refuses anything but what `doctor` can do without. */
async function does(user: User, lines: string[][]): Promise<Said[]> {
  const said = await session(lines, { cwd: app.dir, env: { REDIS_URL: urlOf(user) } })
  const refused = (await refusals()).filter(
    one => one.startsWith(user) && !one.endsWith(' config|get in toplevel'),
  )
  expect(refused, said.map(({ stderr }) => stderr).join('')).toEqual([])
  await admin.acl('LOG', 'RESET')
  return said
}

/** Commands that were called since, those of scripts too; not of the test's own connection. */
async function used(): Promise<string[]> {
  const stats = await admin.info('commandstats')
  const own = new Set(['acl|log', 'config|resetstat', 'info', 'client|list'])
  return [...stats.matchAll(/^cmdstat_([^:]+):/gm)]
    .map(([, name = '']) => name)
    .filter(name => !own.has(name))
}

/** Every connection of ioredis needs these. */
const OF_A_CONNECTION = new Set(['auth', 'hello', 'ping', 'exec', 'client|setname'])

/** What `runner work` says that this user lacks. */
async function lackingOf(user: string): Promise<string[]> {
  const url = `redis://${user}:${passwordOf(user)}@127.0.0.1:${redis.port}`
  const config = { redis: url, prefix: 'bull', cwd: app.dir, redisFrom: 'REDIS_URL' }
  const error = await failure(openRedis(config, { asReplica: true }))
  expect(error.code).toBe('REDIS_FORBIDDEN')
  return (error.details as { missing: string[] }).missing
}

it('a producer adds jobs, many at once and flows, by the runner and by BullMQ', async () => {
  await admin.config('RESETSTAT')
  const flow = '{"job":"parent","id":"tree","children":[{"job":"leaf"}]}'
  const said = await does('producer', [
    ['enqueue', 'leaf', '--priority', '2'],
    ['enqueue', 'leaf', '--delay', '1h', '--id', 'late'],
    ['enqueue', 'leaf', '--dedupe', 'once'],
    ['enqueue', 'leaf', '--data', '@many.ndjson'],
    ['enqueue', '--flow', flow],
    ['enqueue', '--flow', flow],
  ])
  expect(said.map(({ code, stderr }) => [code, stderr])).toEqual(said.map(() => [0, '']))
  const connection = { url: urlOf('producer') }
  const queue = new Queue('q', { connection })
  await queue.add('leaf', {})
  await queue.addBulk(Array.from({ length: 3 }, () => ({ name: 'leaf', data: {} })))
  await queue.close()
  const flows = new FlowProducer({ connection })
  await flows.add({ name: 'parent', queueName: 'q', children: [{ name: 'leaf', queueName: 'q', data: {} }] })
  await flows.close()
  expect(await refusals()).toEqual([])
})

it('a worker runs a whole fleet: locks, sweeps, the line to operators, quarantine, schedules, migrations', async () => {
  await admin.config('RESETSTAT')
  const flags = [
    '--lock-duration',
    '1s',
    '--stalled-interval',
    '500ms',
    '--block-warn',
    '500ms',
    '--executors',
    '1',
  ]
  const options = {
    redis: { url: urlOf('worker') },
    jobs: 'jobs',
    cwd: app.dir,
    args: [...flags, '--max-stalled', '5'],
  }
  const queue = new Queue('q', { connection: admin })
  await using doomed = await Replica.start(options)
  const swept = await queue.add('long', { once: true })
  await untilState(queue, swept.id, 'active')
  await using replica = await Replica.start(options)
  doomed.kill('SIGKILL')
  expect(await untilState(queue, swept.id)).toMatchObject({ state: 'completed', returnvalue: 'again' })

  const added = await queue.addBulk(
    ['ok', 'failing', 'snoozing', 'blocking', 'dying'].map(name => ({ name, data: { more: true } })),
  )
  const states = await Promise.all(added.map(async ({ id }) => (await untilState(queue, id)).state))
  expect(states).toEqual(['completed', 'failed', 'completed', 'completed', 'failed'])

  expect(await untilState(queue, 'flow-in-job')).toMatchObject({ state: 'completed' })
  expect(await refusals()).toEqual([])
  expect(await untilState(queue, 'tree')).toMatchObject({ state: 'completed' })
  // What `work` looks for at its start is what it then uses.
  const checked = new Set(await lackingOf('nobody'))
  expect((await used()).filter(name => !checked.has(name) && !OF_A_CONNECTION.has(name))).toEqual([])

  // Meanwhile people look after it.
  const { replica: id } = await replica.event('fleet.started')
  const cancelled = await queue.add('long', {})
  await untilState(queue, cancelled.id, 'active')
  const said = await does(
    'operator',
    VERBS.map(line =>
      line.map(word => word.replace('$long', cancelled.id ?? '').replace('$replica', String(id))),
    ),
  )
  // What `doctor` says of these locks is another matter.
  expect(said.filter(({ args, code }) => code !== 0 && args[0] !== 'doctor')).toEqual([])
  expect(said.find(({ args }) => args[1] === 'cancel')?.stdout).toContain(cancelled.id)
  replica.kill('SIGTERM')
  expect((await replica.ended).code).toBe(0)
  expect(await refusals()).toEqual([])
})

it('a reader sees queues, and may not change one', async () => {
  await new Queue('seen', { connection: admin }).add('any', {})
  const said = await session(
    [
      ['queues', 'list'],
      ['queues', 'pause', 'seen'],
    ],
    {
      cwd: app.dir,
      env: { REDIS_URL: urlOf('reader') },
    },
  )
  expect(said.map(({ code }) => code)).toEqual([0, 4])
  expect(said[0]?.stdout).toMatch(/^seen\s+open\s+1 /m)
  expect(said[1]?.stderr).toContain('error: this user of Redis may not use ')
  expect(said[1]?.stderr).toContain('hint: deploy/redis/users.acl has what')
  await admin.acl('LOG', 'RESET')
  const doctor = await session([['doctor', '--all']], { cwd: app.dir, env: { REDIS_URL: urlOf('reader') } })
  expect((await refusals()).sort()).toEqual([
    'reader client|list in toplevel',
    'reader config|get in toplevel',
  ])
  expect(doctor[0]?.stdout).toContain('ACL SETUSER <name> +client|list')
  const reader = openAs('reader')
  const script = "return redis.call('LLEN', KEYS[1])"
  expect(await reader.call('EVAL_RO', script, 1, 'bull:seen:wait')).toBe(1)
})

const LUA = (line: string) => ['EVAL', `return redis.call(${line})`, '0']

it.each(USERS)('%s is refused what takes a server down, and what is not its own', async user => {
  const client = openAs(user)
  const refused = [
    ['FLUSHALL'],
    ['FLUSHDB'],
    ['KEYS', '*'],
    ['CONFIG', 'GET', 'requirepass'],
    ['CONFIG', 'SET', 'maxmemory', '1'],
    ['SHUTDOWN', 'NOSAVE'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['SCRIPT', 'FLUSH'],
    ['ACL', 'LIST'],
    ['MONITOR'],
    ['GET', 'other:key'],
    ['SET', 'other:key', '1'],
    ['SET', 'bulls', '1'],
    ['EVAL', 'return 1', '1', 'other:key'],
    LUA("'GET', 'other:key'"),
    LUA("'SET', 'other:key', 1"),
    LUA("'FLUSHALL'"),
    LUA("'KEYS', '*'"),
  ]
  const said = await Promise.all(
    refused.map(([name = '', ...args]) => client.call(name, ...args).then(String, messageOf)),
  )
  const allowed = refused.filter((_, i) => !/NOPERM|user executing the script can't/i.test(said[i] ?? ''))
  expect(allowed.map(line => line.join(' '))).toEqual([])
  expect(await admin.exists('other:key', 'bulls')).toBe(0)
})

it.each(USERS)('%s may choose a database, and ask a Cluster where its slots are', async user => {
  const client = new Redis(urlOf(user), { db: 1 })
  opened.push(client)
  expect(await client.ping()).toBe('PONG')
  for (const what of ['SLOTS', 'INFO'])
    await expect(client.call('CLUSTER', what)).rejects.toThrow('cluster support disabled')
  expect(await admin.acl('LOG')).toEqual([])
})

describe('runner work', () => {
  it('says which rights its user lacks, and does not begin', async () => {
    const [work] = await session([['work', '--queue', 'q']], {
      cwd: app.dir,
      env: { REDIS_URL: urlOf('producer') },
    })
    expect(work?.code).toBe(4)
    expect(work?.stderr).toMatch(/^error: this user of Redis at redis:\S+ may not use bzpopmin, .*zpopmin/m)
    expect(work?.stderr).toContain('those of the worker in deploy/redis/users.acl')
    expect(await admin.exists('bull:runner:rights')).toBe(0)
  })

  it('says that its prefix is not one of its user', async () => {
    const config = { redis: urlOf('worker'), prefix: 'other', cwd: app.dir, redisFrom: 'REDIS_URL' }
    const error = await failure(openRedis(config, { asReplica: true }))
    expect(error.message).toMatch(/may not use keys of other$/)
    const right = await openRedis({ ...config, prefix: 'bull' }, { asReplica: true })
    await right.close()
  })
})

/** `runner doctor`, as a person runs it, on a real Redis with a real replica: well, then with one fault after the other. */
import { Queue, Worker } from 'bullmq'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import type { Finding } from '../../src/doctor/finding.ts'
import { Measured } from '../../src/redis/measured.ts'
import { Replicas, type Replica as Entry } from '../../src/redis/replicas.ts'
import { bench, untilState, type Bench } from '../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner, type Ended } from '../helpers/runner.ts'

let redis: TestRedis
let b: Bench
let replica: Replica
beforeAll(async () => {
  redis = await startRedis()
  b = await bench(redis)
  const args = ['--executors', '1', '--lock-duration', '6s', '--grace', '1s', '--block-limit', '3s']
  replica = await Replica.start({ redis, args })
})
afterAll(async () => {
  await replica[Symbol.asyncDispose]()
  await b[Symbol.asyncDispose]()
  await redis.stop()
})
/** The replica goes on. */
afterEach(async () => {
  vi.restoreAllMocks()
  for (const key of await b.client.keys('*')) if (!key.includes(':runner:replicas')) await b.client.del(key)
})

const doctor = (...args: string[]): Promise<Ended> =>
  runner(['doctor', '--redis', redis.url, ...args], { cwd: import.meta.dirname })

/** The rows of the table, by words: without its head and the summary. */
const rowsOf = ({ stdout }: Ended): string[] => stdout.trimEnd().split('\n').slice(1, -1)

async function findings(...args: string[]): Promise<Record<string, Finding>> {
  const all = JSON.parse((await doctor(...args, '--json')).stdout) as Finding[]
  return Object.fromEntries(all.map(finding => [finding.check, finding]))
}

it('shows what is well when asked', async () => {
  const all = await doctor('--all')
  expect(all).toMatchObject({ code: 0, stderr: '' })
  expect(rowsOf(all).every(row => row.startsWith('ok '))).toBe(true)
  for (const check of ['version', 'round trip', 'maxmemory-policy', 'persistence', 'clock', 'prefix'])
    expect(all.stdout).toMatch(new RegExp(`^ok  ${check} `, 'm'))
  for (const check of ['workers', 'paused', 'handlers', 'lockDuration', 'plain worker'])
    expect(all.stdout).toMatch(new RegExp(`^ok  ${check} +fleet `, 'm'))
})

it('finds a Redis that evicts; its fix works, and says one line of a healthy fleet', async () => {
  await b.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
  const sick = await doctor()
  expect(sick.code).toBe(1)
  const [row = '', ...others] = rowsOf(sick)
  expect(others).toEqual([])
  expect(row).toMatch(
    /^error +maxmemory-policy +noeviction +allkeys-lru: when the memory is full, jobs vanish/,
  )
  expect(sick.stdout).toMatch(/\n\d+ checks: 1 error\n$/)
  const [, fix = ''] = /redis-cli (.+?), and in redis\.conf: maxmemory-policy noeviction$/.exec(row) ?? []
  const [command = '', ...args] = fix.split(' ')
  await b.client.call(command, ...args)
  expect(await doctor()).toEqual({
    code: 0,
    signal: null,
    stdout: expect.stringMatching(/^\d+ checks, all well\n$/) as string,
    stderr: '',
  })
})

it('finds jobs that wait under another prefix, and a queue that nobody works', async () => {
  const shop = new Queue('fleet', { connection: b.client, prefix: 'shop' })
  const slip = new Queue('fleeet', { connection: b.client })
  await shop.add('act', {})
  await slip.add('act', {})
  const ended = await doctor()
  expect(ended.code).toBe(1)
  expect(rowsOf(ended)).toEqual([
    expect.stringMatching(
      /^error +prefix +fleet .* 1 wait under shop, which nobody works; none under bull +prefix: 'bull' in the producer's Queue, or --prefix shop/,
    ),
    expect.stringMatching(
      /^error +workers +fleeet .* 0 replicas, 0 other workers; 1 wait, .* runner work --queue fleeet; did the producer mean fleet\?$/,
    ),
  ])
  await shop.close()
  await slip.close()
})

it('finds jobs that nobody handles: those that failed, and those that will', async () => {
  const { id } = await b.queue.add('nobody', {})
  await untilState(b.queue, id, 'failed')
  await b.queue.pause()
  await b.queue.add('acr', {})
  const ended = await doctor()
  expect(ended.code).toBe(1)
  expect(rowsOf(ended)).toEqual([
    expect.stringMatching(/^warning +paused +fleet .* paused; 1 wait, .* runner queues resume fleet$/),
    expect.stringMatching(
      /^error +handlers +fleet .* none: 1 wait and will fail .* did the producer mean act\?/,
    ),
    expect.stringMatching(
      /^error +handlers +fleet .* none: 1 failed for it .* no job file here is named nobody/,
    ),
  ])
  await b.queue.resume()
})

it('finds a scheduler that is overdue, and speaks of no queue but the one it was asked about', async () => {
  const now = Date.now
  const queue = new Queue('reports', { connection: b.client })
  vi.spyOn(Date, 'now').mockImplementation(() => now() - 600_000)
  await queue.upsertJobScheduler('hourly', { every: 3_600_000 }, { name: 'report' })
  vi.restoreAllMocks()
  const other = new Queue('unworked', { connection: b.client })
  await other.add('act', {})
  const ended = await doctor('reports')
  expect(ended.code).toBe(1)
  expect(rowsOf(ended)).toEqual([
    expect.stringMatching(
      /^error +workers +reports .* 1 wait, the oldest for 10m +runner work --queue reports$/,
    ),
    expect.stringMatching(
      /^error +scheduler hourly +reports +a next run in the future +\S+Z: 10m overdue; nobody works the queue +runner work --queue reports$/,
    ),
  ])
  await other.close()
  await queue.close()
})

it('finds a lock that is shorter than the longest block, where a BullMQ worker has it', async () => {
  // 2 ** (52 / 4) = 8.2 s.
  await new Measured(b.client, 'bull').add('mail', [{ metric: 'block', bucket: 52, count: 1 }])
  const connection = redis.client()
  const worker = new Worker('mail', () => Promise.resolve(), { connection })
  await worker.waitUntilReady()
  const ended = await doctor('mail')
  expect(ended.code).toBe(1)
  expect(rowsOf(ended)).toEqual([
    expect.stringMatching(
      /^error +plain worker +mail +no block beyond 4s.* 8\.2s, and 1 works it: such a job runs twice +lockDuration 16\.4s in that worker/,
    ),
  ])
  await worker.close()
})

it('finds a host whose clock is wrong', async () => {
  const replicas = new Replicas(b.client, 'bull')
  const [live] = (await replicas.list()) as [Entry]
  const stranger = { ...live, id: 'stranger', host: 'web-2', skew: -3_200 }
  const key = 'bull:runner:replicas'
  await b.client.set(`${key}:stranger`, JSON.stringify(stranger), 'EX', 60)
  await b.client.zadd(key, Date.now() + 60_000, 'stranger')
  const ended = await doctor()
  expect(ended.code).toBe(1)
  expect(rowsOf(ended)).toEqual([
    expect.stringMatching(
      /^error +clock +within 500ms of Redis +web-2 is 3\.2s behind: .* set the clock of web-2 \(timedatectl set-ntp true\)/,
    ),
  ])
  await replicas.remove('stranger')
})

it('says what a user may not look at, goes on, and never says who it is', async () => {
  await b.client.call(
    'ACL',
    'SETUSER',
    'canary',
    'on',
    '>secret',
    '~*',
    '&*',
    '+@all',
    '-info',
    '-config',
    '-scan',
  )
  await b.client.call('ACL', 'SETUSER', 'canary', '-client|list', '-hgetall')
  await new Measured(b.client, 'bull').add('mail', [{ metric: 'run', bucket: 1, count: 1 }])
  await new Queue('mail', { connection: b.client }).add('send', {})
  const url = `redis://canary:secret@127.0.0.1:${redis.port}`
  const { code, stdout, stderr } = await runner(['doctor', 'mail', '--redis', url], {
    cwd: import.meta.dirname,
  })
  expect(stdout + stderr).not.toMatch(/canary|secret/)
  expect(code).toBe(0)
  for (const row of [
    /^unknown +INFO .* this user may not run INFO: version, maxmemory-policy, .* ACL SETUSER <name> \+info$/m,
    /^unknown +prefix .* or SCAN is forbidden/m,
    /^unknown +CLIENT LIST .* ACL SETUSER <name> \+client\|list$/m,
    /^unknown +settings .* this user may not run hgetall +ACL SETUSER <name> \+hgetall$/m,
    /^warning +workers +mail .* 0 replicas, other workers unseen; 1 wait/m,
  ])
    expect(stdout).toMatch(row)
})

it('says of each setting what was measured, what is set, and what to do', async () => {
  const blocker = await b.act({ do: 'spin', ms: 2_500 })
  await untilState(b.queue, blocker.id, 'completed')
  // The replica is live: what it is set to counts, and not the defaults of whoever asks.
  expect(await findings()).toMatchObject({
    lockDuration: { queue: 'fleet', actual: expect.stringMatching(/^6s/) as string },
    stalledInterval: { actual: '3s', level: 'ok' },
    grace: { actual: expect.stringMatching(/^1s/) as string },
  })
  replica.kill('SIGTERM')
  await replica.ended
  expect(await findings('fleet')).toMatchObject({
    lockDuration: { actual: '8s', level: 'ok' },
    grace: { expected: expect.stringMatching(/^[23](\.\d)?s: 99\.9% of runs$/) as string, actual: '25s' },
    'block.limit': { expected: expect.stringMatching(/the longest block was [23]/) as string },
  })
})

it('exits 1 when locks run out while jobs run, and names the fix', async () => {
  await new Measured(b.client, 'bull').add('mail', [{ metric: 'delay', bucket: 48, count: 3 }])
  const { code, stdout } = await doctor()
  expect(stdout).toMatch(
    /^error +lockDuration +mail +33s: renewals are up to 4\.1s late +8s: locks run out while jobs run +--lock-duration 33s, or auto$/m,
  )
  expect(code).toBe(1)
  const other = await doctor('maik')
  expect(other.code).toBe(0)
  expect(rowsOf(other)).toEqual([
    expect.stringMatching(/^warning +queue +maik +a queue +nothing is known of it +did you mean mail\?$/),
  ])
})

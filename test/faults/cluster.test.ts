/** A Cluster of three masters: all that the runner does in it, and the master of its slot killed under load. */
import { Queue } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RedisHandle } from '../../src/redis/connection.ts'
import { startCluster, type TestCluster } from '../helpers/cluster.ts'
import { untilState } from '../helpers/fleet.ts'
import { Load, lostOf, untilDrained } from '../helpers/load.ts'
import { expectPromiseKept, readOracle, untilRecorded } from '../helpers/oracle.ts'
import { project, type Project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { session } from '../helpers/session.ts'
import { open } from '../redis/open.ts'

const PREFIX = '{jobs}'
const GOES_ON_MS = 30_000
const FIXTURES = ['jobs-fleet', 'jobs-flow'].map(
  name => new URL(`../fixtures/${name}`, import.meta.url).pathname,
)

let oracle: TestRedis
let ledger: Redis
let cluster: TestCluster
let app: Project
let handle: RedisHandle
let client: Redis | Cluster
let queue: Queue
let fleet: Replica[]
beforeAll(async () => {
  ;[oracle, cluster] = await Promise.all([startRedis(), startCluster({ replicas: true })])
  ledger = oracle.client()
  const settings = { redis: { cluster: cluster.nodes.slice(0, 2) }, prefix: PREFIX, jobs: FIXTURES }
  app = project({
    'runner.config.ts': `export default ${JSON.stringify({ ...settings, schedules: { often: { job: 'act', every: '1s', args: { do: 'nothing' } } } })}`,
  })
  handle = await open(settings.redis, PREFIX)
  client = handle.connect('test')
  queue = new Queue('fleet', { connection: client, prefix: PREFIX })
  queue.on('error', () => undefined)
  const locks = ['--lock-duration', '10s', '--stalled-interval', '5s']
  const args = [...locks, '--executors', '1', '--concurrency', '20']
  const options = { redis: {}, oracle, cwd: app.dir, jobs: FIXTURES[0] as string, logLevel: 'info' }
  const jobs = FIXTURES.slice(1).flatMap(folder => ['--jobs', folder])
  fleet = await Promise.all([1, 2].map(() => Replica.start({ ...options, args: [...args, ...jobs] })))
})
afterAll(async () => {
  await Promise.all(fleet.map(replica => replica[Symbol.asyncDispose]()))
  await queue.close()
  await handle.close()
  await Promise.all([oracle.stop(), cluster[Symbol.asyncDispose]()])
  app[Symbol.dispose]()
})

it('has jobs, flows, schedules, lists and cancellations as on one server', async () => {
  const running = await queue.add('act', { do: 'sleep', ms: 600_000 })
  await untilState(queue, running.id, 'active')
  const flow = {
    job: 'gather',
    id: 'tree',
    children: [
      { job: 'part', args: { nth: 1 } },
      { job: 'part', args: { nth: 2 } },
    ],
  }
  const said = await session(
    [
      ['enqueue', '--flow', JSON.stringify(flow)],
      [
        'enqueue',
        'act',
        '--no-schema',
        '--queue',
        'fleet',
        '--do',
        'return',
        '--value',
        'fine',
        '--wait',
        '--timeout',
        '20s',
      ],
      ['schedules', 'apply'],
      ['jobs', 'list', '--state', 'active', '--json'],
      ['queues', 'list'],
      ['jobs', 'cancel', running.id as string],
      ['fleet', 'list'],
      ['schedules', 'list'],
      ['doctor', '--all'],
    ],
    { cwd: app.dir },
  )
  const failed = said.filter(({ args, code }) => code !== 0 && args[0] !== 'doctor')
  expect(failed).toEqual([])
  const [flowed, waited, , active, queues, cancelled, replicas, schedules] = said.map(({ stdout }) => stdout)
  expect(flowed).toContain('enqueued a flow of 3 jobs')
  expect(waited).toContain('fine')
  expect(active).toContain(`"${running.id}"`)
  expect(queues).toMatch(/^fleet\s+open/m)
  expect(queues).toMatch(/^reports\s+open/m)
  expect(cancelled).toContain(running.id)
  expect(replicas?.trim().split('\n')).toHaveLength(3)
  expect(schedules).toContain('act:often')
  const reports = new Queue('reports', { connection: client, prefix: PREFIX })
  expect(await untilState(reports, 'tree')).toMatchObject({ state: 'completed' })
  // What is scheduled is run again and again.
  await expect
    .poll(async () => (await queue.getCompleted()).filter(({ id = '' }) => id.startsWith('repeat:')).length, {
      timeout: 60_000,
    })
    .toBeGreaterThan(1)
  await reports.close()
})

it('goes on when the master of its slot is killed, and runs no job twice at once', async () => {
  await ledger.flushall()
  const load = new Load(queue, {
    pause: 5,
    act: n => (n % 50 === 0 ? { do: 'sleep', ms: 8_000 } : { do: 'sleep', ms: n % 20 }),
  })
  await untilRecorded(ledger, 'end', 200)
  const master = await cluster.masterOf(PREFIX)
  const before = load.acknowledged.length
  const since = Date.now()
  await master.stop()
  await load.untilAcknowledged(20, GOES_ON_MS)
  const ids = load.ids.slice(before + 10, before + 20)
  const started = async () => {
    const runs = await readOracle(ledger)
    return ids.every(id => runs.has(id))
  }
  await expect.poll(started, { timeout: GOES_ON_MS, message: 'new jobs to be started' }).toBe(true)
  const ms = Date.now() - since
  await load.stop()
  await session([['schedules', 'remove', 'act:often']], { cwd: app.dir })
  await untilDrained(queue)
  const lost = await lostOf(client, queue, load.acknowledged)
  console.log(`a master killed under ${load.ids.length} jobs: on after ${ms} ms, ${lost.length} lost`)
  expect(ms).toBeLessThan(GOES_ON_MS)
  // Those of the last milliseconds at most: Redis answers before its replica has them.
  expect(lost.filter(({ at }) => at < since - 1_000 || at > since)).toEqual([])
  const gone = new Set(lost.map(({ id }) => id))
  await expectPromiseKept(ledger, { ids: load.ids.filter(id => !gone.has(id)) })
})

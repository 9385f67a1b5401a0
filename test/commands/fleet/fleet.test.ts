/** Replicas seen and steered from a terminal. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ReplicaDump } from '../../../src/fleet/command.ts'
import type { Replica as Entry } from '../../../src/redis/replicas.ts'
import { type Bench, bench, fateOf, untilState } from '../../helpers/fleet.ts'
import { project, type Project } from '../../helpers/project.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { Replica } from '../../helpers/replica.ts'
import { runner } from '../../helpers/runner.ts'

let redis: TestRedis
let b: Bench
let one: Replica
let two: Replica
const args = ['--executors', '1', '--concurrency', '5', '--block-warn', '500ms', '--queue', 'fleet']

beforeAll(async () => {
  redis = await startRedis()
  b = await bench(redis)
  one = await Replica.start({ redis, args })
  two = await Replica.start({ redis, args })
})
afterAll(async () => {
  for (const open of [one, two, b, redis]) await open[Symbol.asyncDispose]()
})

const fleet = (...words: string[]) =>
  runner(['fleet', ...words, '--redis', redis.url], { cwd: import.meta.dirname })
const json = async <Of>(...words: string[]) => JSON.parse((await fleet(...words, '--json')).stdout) as Of
const untilSaid = (list: string, times: number) =>
  expect.poll(() => b.client.llen(list), { interval: 50 }).toBe(times)
const idOf = async (replica: Replica) => (await replica.event('fleet.started'))['replica'] as string

it('lists who is there, with what they can do', async () => {
  const entries = await json<Entry[]>('list')
  expect(entries.map(({ id }) => id)).toEqual([await idOf(one), await idOf(two)])
  expect(entries[0]).toMatchObject({
    pid: one.pid,
    queues: { fleet: 5 },
    executors: 1,
    isolation: 'thread',
    running: 0,
    quiet: false,
    blocked: [],
  })
  expect(entries[0]?.rss).toBeGreaterThan(50 * 2 ** 20)
  expect(entries[0]?.handlers['strict']).toEqual({
    schema: expect.stringMatching(/^[0-9a-f]{12}$/),
    file: expect.stringMatching(/^[0-9a-f]{12}$/),
  })
  expect((await fleet('list')).stdout).toContain('fleet:5')
})

it('one takes no jobs from when it is told to until it is told again, the other goes on', async () => {
  const [first, second] = [await idOf(one), await idOf(two)]
  const quiet = await fleet('quiet', first)
  expect(quiet).toMatchObject({ code: 0, stdout: `${first}  takes no new jobs, 0 running\n` })
  const jobs = await b.acts(10, { do: 'return' })
  for (const { id } of jobs) await untilState(b.queue, id, 'completed')
  const workers = await Promise.all(
    jobs.map(async ({ id }) => (await b.queue.getJob(id as string))?.processedBy),
  )
  expect(new Set(workers)).toEqual(new Set([second]))
  expect((await json<Entry[]>('list')).map(entry => entry.quiet)).toEqual([true, false])

  expect((await fleet('resume', '--all')).stdout).toBe(`${first}  takes jobs\n${second}  takes jobs\n`)
  await fleet('quiet', second)
  const { id } = await b.act({ do: 'return' })
  await untilState(b.queue, id, 'completed')
  expect((await b.queue.getJob(id as string))?.processedBy).toBe(first)
  await fleet('resume', second)
})

it('runs as many at once as it is told', async () => {
  const [first, second] = [await idOf(one), await idOf(two)]
  await fleet('quiet', second)
  expect((await fleet('concurrency', 'fleet', '2', first)).stdout).toBe(`${first}  fleet 5 -> 2\n`)
  const gates = await b.acts(4, { do: 'gate', key: 'gates', say: 'begun' })
  await untilSaid('begun', 2)
  expect((await b.queue.getJobCounts('active', 'wait')) as unknown).toEqual({ active: 2, wait: 2 })
  // Upward too, at once: all slots are taken by jobs that do not end.
  await fleet('concurrency', 'fleet', '3', first)
  await untilSaid('begun', 3)
  await b.open('gates')
  for (const { id } of gates) await untilState(b.queue, id, 'completed')
  expect(await fleet('concurrency', 'other', '2', first)).toMatchObject({
    code: 1,
    stdout: `${first}  it does not work queue other\n`,
  })
  expect(await fleet('concurrency', 'fleet', '0', first)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected a whole number of 1 to 10000, got 0') as string,
  })
  await fleet('resume', second)
  await fleet('concurrency', 'fleet', '5', '--all')
})

it('dumps what runs, with the stack of what holds an event loop', async () => {
  const sleeper = await b.act({ do: 'sleep', ms: 600_000, say: 'sleeping' })
  await untilSaid('sleeping', 1)
  const { id } = await b.act({ do: 'spin-forever' })
  const blocked = one.until(() => one.events('job.blocked').length > 0, 'its block')
  await Promise.race([blocked, two.until(() => two.events('job.blocked').length > 0, 'its block')])
  const dumps = await json<{ replica: string; value: ReplicaDump }[]>('dump', '--all')
  const running = dumps.flatMap(({ value }) => value.running)
  expect(new Set(running.map(job => job.id))).toEqual(new Set([id, sleeper.id]))
  const [block] = dumps.flatMap(({ value }) => value.blocked)
  expect(block).toMatchObject({ job: 'act', id, where: expect.stringContaining('actions.ts') as string })
  expect(block?.stack).toContain('spin')
  expect((await fleet('dump', '--all')).stdout).toMatch(
    // A host without time to spare takes a spin for native code.
    /blocked: executor \d+ for .* by act \d+ (at|in native code .*) .*actions\.ts/,
  )
  const both = [id, sleeper.id] as string[]
  expect((await runner(['jobs', 'cancel', ...both, '--redis', redis.url], { cwd: '/' })).code).toBe(0)
  for (const job of both) expect((await fateOf(b.queue, job)).state).toBe('failed')
})

it('shows the handlers that are not the same everywhere', async () => {
  expect(await fleet('diff')).toMatchObject({ code: 0, stdout: '2 replicas have the same handlers\n' })
  using other: Project = project({
    'jobs/act.mjs': 'export default () => 1',
    'jobs/more.mjs': 'export default () => 2',
  })
  await using three = await Replica.start({ redis, jobs: other.path('jobs'), args })
  const differences = await json<{ job: string; what: string; versions: { replicas: string[] }[] }[]>('diff')
  expect(differences.find(({ job }) => job === 'more')).toMatchObject({
    what: 'missing',
    versions: [{ replicas: [await idOf(one), await idOf(two)] }, { replicas: [await idOf(three)] }],
  })
  expect(differences.find(({ job }) => job === 'act')).toMatchObject({ what: 'file' })
  expect((await fleet('diff')).code).toBe(1)
})

it('says which replicas there are when it cannot tell which one is meant', async () => {
  expect(await fleet('quiet')).toMatchObject({ code: 2 })
  const unknown = await fleet('quiet', 'nobody', '--json')
  expect(unknown.code).toBe(6)
  expect(JSON.parse(unknown.stderr)).toMatchObject({ error: { code: 'REPLICA_UNKNOWN' } })
  const ids = [await idOf(one), await idOf(two)]
  // Both begin with the name of this host.
  const ambiguous = await fleet('quiet', (ids[0] as string).slice(0, 1))
  expect(ambiguous.code).toBe(2)
  expect(ambiguous.stderr).toContain(ids[1])
})

it('hears again after a Redis that lost everything', async () => {
  await redis.flush()
  // Replicas are known again with their next beat.
  await expect.poll(async () => (await json<Entry[]>('list')).length, { interval: 500 }).toBe(2)
  expect(await fleet('resume', '--all')).toMatchObject({ code: 0 })
})

it('a replica that does not answer is told from one that does', async () => {
  const [first, second] = [await idOf(one), await idOf(two)]
  const before = one.events('fleet.quiet').length
  one.kill('SIGSTOP')
  try {
    const ended = await fleet('quiet', '--all')
    expect(ended).toMatchObject({
      code: 3,
      stdout: `${first}  did not answer\n${second}  takes no new jobs, 0 running\n`,
    })
  } finally {
    one.kill('SIGCONT')
  }
  await fleet('resume', second)
  // What it was told while it was away is over.
  const { id } = await b.act({ do: 'return' })
  await untilState(b.queue, id, 'completed')
  expect(one.events('fleet.quiet').length).toBe(before)
})

/** Jobs that run are cancelled from a terminal, whatever their handlers do. */
import { userInfo } from 'node:os'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Bench, bench, fateOf, untilState } from '../../helpers/fleet.ts'
import { expectPromiseKept } from '../../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { Replica } from '../../helpers/replica.ts'
import { runner, startRunner } from '../../helpers/runner.ts'

const GRACE = 1_000
let redis: TestRedis
let b: Bench
let replicas: Replica[]

beforeAll(async () => {
  redis = await startRedis()
  b = await bench(redis)
  const args = ['--executors', '1', '--concurrency', '4', '--abort-grace', `${GRACE}ms`, '--queue', 'fleet']
  replicas = await Promise.all([1, 2, 3].map(() => Replica.start({ redis, args })))
})
afterAll(async () => {
  for (const open of [...replicas, b, redis]) await open[Symbol.asyncDispose]()
})

const cancel = (...words: string[]) =>
  runner(['jobs', 'cancel', ...words, '--redis', redis.url], { cwd: import.meta.dirname })
const untilSaid = (list: string, times: number) =>
  expect.poll(() => b.client.llen(list), { interval: 50 }).toBe(times)

it('of one that listens, its signal aborts, and its executor lives on', async () => {
  const { id } = await b.act({ do: 'sleep', ms: 600_000, say: 'listens' })
  const deaf = await b.act({ do: 'gate', key: 'deaf', say: 'listens' })
  await untilSaid('listens', 2)
  const ended = await cancel(id as string)
  expect(ended.code).toBe(0)
  expect(ended.stdout).toMatch(/^fleet \d+: act was stopped on .+ within \d+ms\n$/)
  await b.open('deaf')
  expect(await untilState(b.queue, deaf.id, 'completed')).toMatchObject({ attemptsStarted: 1 })
})

it('one that waits, or is delayed, fails without being run, and can be retried', async () => {
  const { id } = await b.act({ do: 'return', say: 'never' }, { delay: 600_000 })
  const ended = await cancel(id as string)
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('marked') as string })
  expect(await untilState(b.queue, id, 'failed')).toMatchObject({
    failedReason: `cancelled: by ${userInfo().username}`,
  })
  expect(await b.client.llen('never')).toBe(0)
  const retried = await runner(['jobs', 'retry', id as string, '--redis', redis.url], { cwd: '/' })
  expect(retried.code).toBe(0)
  await untilState(b.queue, id, 'completed')
  expect(await b.client.llen('never')).toBe(1)
})

it('does not wait for a replica that hangs and does not have it', async () => {
  const { id } = await b.act({ do: 'sleep', ms: 600_000, say: 'beside-frozen' })
  await untilSaid('beside-frozen', 1)
  const holder = (await b.queue.getJob(id as string))?.processedBy
  const ids = await Promise.all(replicas.map(async one => (await one.event('fleet.started'))['replica']))
  const other = replicas.find((_, i) => ids[i] !== holder) as Replica
  other.kill('SIGSTOP')
  try {
    const started = performance.now()
    expect((await cancel(id as string)).code).toBe(0)
    expect(performance.now() - started).toBeLessThan(3_500)
  } finally {
    other.kill('SIGCONT')
  }
})

it('a second one changes neither the end nor the reason of the first', async () => {
  const { id } = await b.act({ do: 'sleep-deaf', ms: 600_000, say: 'twice' })
  await untilSaid('twice', 1)
  // Two processes, so that they begin together.
  const [first, second] = await Promise.all(
    ['one', 'two'].map(
      reason =>
        startRunner(['jobs', 'cancel', id as string, '--reason', reason, '--json', '--redis', redis.url], {
          cwd: import.meta.dirname,
        }).ended,
    ),
  )
  expect([first?.code, second?.code]).toEqual([0, 0])
  expect(JSON.parse(first?.stdout ?? '')).toMatchObject([{ how: 'killed' }])
  expect(JSON.parse(second?.stdout ?? '')).toMatchObject([{ how: 'killed' }])
  expect((await fateOf(b.queue, id)).failedReason).toMatch(/^cancelled: (one|two)$/)
})

it('many at once, and only those of the name', async () => {
  const jobs = await b.acts(6, { do: 'sleep', ms: 600_000, say: 'many' })
  await untilSaid('many', 6)
  const matching = async (name: string) =>
    JSON.parse((await cancel('--state', 'active', '--name', name, '--dry-run', '--json')).stdout) as object
  expect(await matching('act')).toMatchObject({ matching: 6 })
  expect(await matching('other')).toMatchObject({ matching: 0 })
  const ended = await cancel('--state', 'active', '--name', 'act', '--yes', '--json')
  expect(JSON.parse(ended.stdout)).toMatchObject({ done: 6, failed: 0, broken: false })
  for (const { id } of jobs) expect((await fateOf(b.queue, id)).state).toBe('failed')
})

// From here on act runs alone in its executor: it was caught blocking.
it('ends one that spins within the grace and a second, and its neighbours go on', async () => {
  // So many that the one which spins has neighbours in its executor.
  const neighbours = await b.acts(9, { do: 'gate', key: 'neighbours', say: 'beside' })
  await untilSaid('beside', 9)
  const { id } = await b.act({ do: 'spin-forever', say: 'spins' }, { attempts: 3 })
  await untilSaid('spins', 1)
  const ended = await cancel(id as string, '--reason', 'wrong customer', '--json')
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  const [told] = JSON.parse(ended.stdout) as { ms: number; replica: string; how: string }[]
  expect(told).toMatchObject({ id, queue: 'fleet', how: 'killed', job: 'act' })
  expect(told?.ms).toBeLessThan(GRACE + 1_000)
  const holder = await Promise.all(replicas.map(async one => (await one.event('fleet.started'))['replica']))
  expect(holder).toContain(told?.replica)
  expect(await fateOf(b.queue, id)).toMatchObject({
    state: 'failed',
    failedReason: 'cancelled: wrong customer',
    attemptsStarted: 1,
  })
  await b.open('neighbours')
  for (const one of neighbours) await untilState(b.queue, one.id, 'completed')
  await expectPromiseKept(b.client, { ids: neighbours.map(one => one.id as string) })
})

it('says so when the replica that has it does not answer, and when there is none', async () => {
  const { id } = await b.act({ do: 'sleep', ms: 600_000, say: 'left' })
  await untilSaid('left', 1)
  for (const replica of replicas) replica.kill('SIGSTOP')
  const frozen = await cancel(id as string, '--json')
  expect(frozen.code).toBe(69)
  expect(JSON.parse(frozen.stderr)).toMatchObject({
    error: {
      code: 'NO_REPLICA_ANSWERED',
      message: expect.stringContaining('3 of 3 replicas did not answer') as string,
    },
  })
  for (const replica of replicas) replica.kill('SIGKILL')
  await Promise.all(replicas.map(replica => replica.ended))
  await b.client.del('bull:runner:replicas')
  const gone = await cancel(id as string)
  expect(gone.code).toBe(69)
  expect(gone.stderr).toContain('no replica is live')
})

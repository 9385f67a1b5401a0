/** TERM keeps its deadline whatever the handlers do, and gives back what it could not finish, unspent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bench, fateOf, EITHER_KIND, untilFinished } from '../helpers/fleet.ts'
import { expectPromiseKept, readOracle, untilRecorded } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const UNSPENT = { state: 'waiting', attemptsMade: 0, stalledCounter: 0, failedReason: undefined }

describe.each(EITHER_KIND)('in a %s', isolation => {
  const args = ['--isolation', isolation, '--concurrency', '20', '--grace', '2s']

  it('hands back 20 ten-minute jobs within 4 s, and another replica runs them as if new', async () => {
    await using b = await bench(redis)
    const jobs = await b.acts(20, { do: 'sleep', ms: 600_000, say: 'up', untilFence: 2 })
    const ids = jobs.map(job => job.id as string)
    await using replica = await Replica.start({ redis, args })
    await expect.poll(() => b.client.llen('up')).toBe(20)

    replica.kill('SIGTERM')
    const { code, ms } = await replica.ended
    expect(code).toBe(75)
    expect(ms).toBeGreaterThan(2_000)
    expect(ms).toBeLessThan(4_000)
    for (const id of ids) expect(await fateOf(b.queue, id)).toMatchObject(UNSPENT)
    expect(new Set(await b.client.lrange('up:aborted', 0, -1))).toEqual(new Set(ids))

    await using next = await Replica.start({ redis, args: [...args, '--drain'] })
    expect((await next.ended).code).toBe(0)
    for (const id of ids)
      expect(await fateOf(b.queue, id)).toMatchObject({
        state: 'completed',
        attemptsMade: 1,
        attemptsStarted: 2,
      })
    await expectPromiseKept(b.client, { ids, starts: 2 })
  })

  it.each([
    ['does not listen to its signal', { do: 'sleep-deaf', ms: 600_000 }],
    ['spins', { do: 'spin-forever' }],
  ])('keeps the deadline when a job %s', async (_what, act) => {
    await using b = await bench(redis)
    await using replica = await Replica.start({ redis, args: [...args, '--executors', '1'] })
    const good = await b.act({ do: 'gate' })
    await untilRecorded(b.client, 'start', 1)
    const bad = await b.act(act)
    await untilRecorded(b.client, 'start', 2)

    replica.kill('SIGTERM')
    const { code, ms } = await replica.ended
    expect(code).toBe(75)
    expect(ms).toBeLessThan(4_000)
    expect(await fateOf(b.queue, bad.id)).toMatchObject(UNSPENT)
    expect(await fateOf(b.queue, good.id)).toMatchObject(UNSPENT)
  })

  it('keeps the deadline when a job is inside native code, and its neighbour runs again elsewhere', async () => {
    await using b = await bench(redis)
    const locks = ['--lock-duration', '2s', '--stalled-interval', '2s']
    const one = [...args, ...locks, '--executors', '1']
    await using replica = await Replica.start({ redis, args: one })
    const neighbour = await b.act({ do: 'gate' })
    await untilRecorded(b.client, 'start', 1)
    await b.act({ do: 'native', ms: 15_000, untilFence: 2 })
    await untilRecorded(b.client, 'start', 2)

    replica.kill('SIGTERM')
    const { code, ms } = await replica.ended
    expect(code).toBe(75)
    // A thread costs the time that is given to hand back: it cannot be seen to be gone before its process is.
    expect(ms).toBeLessThan(isolation === 'thread' ? 6_000 : 4_000)

    await b.open()
    await using _next = await Replica.start({ redis, args: one })
    await untilFinished(b.queue, 2)
    expect(await fateOf(b.queue, neighbour.id)).toMatchObject({ state: 'completed', attemptsMade: 1 })
    await expectPromiseKept(b.client, { ids: [neighbour.id as string], starts: 2 })
  })

  it('exits 0 at once when nothing runs, and waits for what ends within the grace', async () => {
    await using b = await bench(redis)
    await using idle = await Replica.start({ redis, args })
    idle.kill('SIGTERM')
    const { code, ms } = await idle.ended
    expect(code).toBe(0)
    expect(ms).toBeLessThan(1_500)

    await using busy = await Replica.start({ redis, args: [...args, '--grace', '20s'] })
    const job = await b.act({ do: 'gate', value: 'done' })
    await untilRecorded(b.client, 'start', 1)
    busy.kill('SIGTERM')
    await busy.event('fleet.stopping')
    await b.open()
    expect((await busy.ended).code).toBe(0)
    expect(await fateOf(b.queue, job.id)).toMatchObject({ state: 'completed', returnvalue: 'done' })
  })

  it('hands back at once at a second INT', async () => {
    await using b = await bench(redis)
    await using replica = await Replica.start({ redis, args: [...args, '--grace', '60s'] })
    const job = await b.act({ do: 'spin-forever' })
    await untilRecorded(b.client, 'start', 1)
    replica.kill('SIGINT')
    await replica.event('fleet.stopping')
    replica.kill('SIGINT')
    const { code, ms } = await replica.ended
    expect(code).toBe(130)
    expect(ms).toBeLessThan(2_000)
    expect(await fateOf(b.queue, job.id)).toMatchObject(UNSPENT)
  })
})

it('takes no job between TSTP and CONT', async () => {
  await using b = await bench(redis)
  await using replica = await Replica.start({ redis, args: ['--concurrency', '2'] })
  const running = await b.act({ do: 'gate' })
  await untilRecorded(b.client, 'start', 1)
  replica.kill('SIGTSTP')
  await replica.event('fleet.quiet')
  const later = await b.act({ do: 'return', value: 'later' })
  // A running job goes on, and its end does not fetch another one.
  await b.open()
  await untilFinished(b.queue, 1)
  expect(await fateOf(b.queue, running.id)).toMatchObject({ state: 'completed' })
  // A fetch that was under way brought it here; it went back unspent, and its handler never saw it.
  expect(await fateOf(b.queue, later.id)).toMatchObject({ state: 'waiting', attemptsMade: 0 })
  expect([...(await readOracle(b.client)).keys()]).toEqual([running.id])
  replica.kill('SIGCONT')
  await untilFinished(b.queue, 2)
  expect(await fateOf(b.queue, later.id)).toMatchObject({ state: 'completed', attemptsMade: 1 })
  replica.kill('SIGTERM')
  expect((await replica.ended).code).toBe(0)
})

it('takes no job after CONT when it has had its --max-jobs', async () => {
  await using b = await bench(redis)
  await using replica = await Replica.start({ redis, args: ['--max-jobs', '1'] })
  const last = await b.act({ do: 'gate' })
  await untilRecorded(b.client, 'start', 1)
  replica.kill('SIGTSTP')
  await replica.event('fleet.quiet')
  const next = await b.act({ do: 'return' })
  replica.kill('SIGCONT')
  await b.open()
  expect((await replica.ended).code).toBe(0)
  expect(await fateOf(b.queue, last.id)).toMatchObject({ state: 'completed' })
  expect(await fateOf(b.queue, next.id)).toMatchObject({ state: 'waiting', attemptsStarted: 0 })
})

it('says at TTIN what runs', async () => {
  await using b = await bench(redis)
  await using replica = await Replica.start({ redis })
  const { id } = await b.act({ do: 'gate' })
  await untilRecorded(b.client, 'start', 1)
  replica.kill('SIGTTIN')
  await replica.until(() => replica.stderr.includes(`fleet  act ${id}  `), 'the dump')
  expect(replica.stderr).toContain('1 running')
})

it('stops as the leader of a session without a terminal, like an init', async () => {
  await using b = await bench(redis)
  await using replica = await Replica.start({ redis, args: ['--grace', '1s'], setsid: true })
  const { id } = await b.act({ do: 'sleep', ms: 600_000 })
  await untilRecorded(b.client, 'start', 1)
  replica.kill('SIGTERM')
  const { code, ms } = await replica.ended
  expect(code).toBe(75)
  expect(ms).toBeLessThan(3_000)
  expect(await fateOf(b.queue, id)).toMatchObject(UNSPENT)
})

/** The one promise: no job is run twice at once, however a handler blocks its event loop or its replica dies. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bench, fateOf, EITHER_KIND, untilFinished, untilState } from '../helpers/fleet.ts'
import { isLong } from '../helpers/long.ts'
import { expectPromiseKept, readOracle, untilRecorded } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const SHORT_LOCKS = ['--lock-duration', '4s', '--stalled-interval', '4s']

describe.each(EITHER_KIND)('in a %s', isolation => {
  it('runs a job once that blocks its loop for almost four lock durations, and the one beside it', async () => {
    await using b = await bench(redis)
    const args = [...SHORT_LOCKS, '--isolation', isolation, '--executors', '1', '--concurrency', '2']
    await using one = await Replica.start({ redis, args })
    // Both jobs are the first replica's before the second is there, so they share its one executor.
    const beside = await b.act({ do: 'gate', value: 'beside' })
    await untilRecorded(b.client, 'start', 1)
    // In native code: it takes no processor from what runs beside this, and nothing in its thread can go on meanwhile.
    const blocker = await b.act({ do: 'native', ms: 15_000, value: 'kept' })
    await untilRecorded(b.client, 'start', 2)
    await using two = await Replica.start({ redis, args })

    const fate = await untilState(b.queue, blocker.id)
    expect(fate).toMatchObject({
      state: 'completed',
      returnvalue: 'kept',
      attemptsStarted: 1,
      stalledCounter: 0,
    })
    await b.open()
    expect(await untilState(b.queue, beside.id)).toMatchObject({
      state: 'completed',
      returnvalue: 'beside',
      attemptsStarted: 1,
      stalledCounter: 0,
    })
    await expectPromiseKept(b.client, { ids: [blocker.id as string, beside.id as string], starts: 1 })
    expect([...one.events('job.superseded'), ...two.events('job.superseded')]).toEqual([])
  })

  it('loses none of 200 running jobs when one of two replicas is killed', async () => {
    await using b = await bench(redis)
    const jobs = await b.acts(200, { do: 'gate' })
    const ids = jobs.map(job => job.id as string)
    const args = [...SHORT_LOCKS, '--isolation', isolation]
    const start = () => Replica.start({ redis, args: [...args, '--concurrency', '100'] })
    await using doomed = await start()
    await using other = await start()
    await untilRecorded(b.client, 'start', 200)

    doomed.kill('SIGKILL')
    expect((await doomed.ended).signal).toBe('SIGKILL')
    // Only 100 fit into the survivor: it holds its own until the gate opens.
    await b.open()
    await untilFinished(b.queue, 200)

    const fates = await Promise.all(ids.map(id => fateOf(b.queue, id)))
    expect(fates.filter(({ state }) => state !== 'completed')).toEqual([])
    expect(fates.filter(({ attemptsMade }) => attemptsMade !== 1)).toEqual([])
    expect(fates.filter(({ attemptsStarted }) => attemptsStarted === 2)).toHaveLength(100)
    await expectPromiseKept(b.client, { ids, starts: 2 })
    expect(other.events('job.superseded')).toEqual([])
  })
})

/** `npm run test:long` is of 10,000. */
const JOBS = isLong ? 10_000 : 3_000

it(`runs each of ${JOBS} jobs of another producer exactly once on three replicas`, async () => {
  await using b = await bench(redis)
  const ids: string[] = []
  for (let batch = 0; batch < JOBS / 1_000; batch++)
    ids.push(...(await b.acts(1_000, { do: 'return', value: batch })).map(job => job.id as string))
  const start = () => Replica.start({ redis, args: ['--concurrency', '50', '--drain'], logLevel: 'info' })
  const replicas = await Promise.all([start(), start(), start()])
  try {
    const ends = await Promise.all(replicas.map(replica => replica.ended))
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0])
  } finally {
    for (const replica of replicas) await replica[Symbol.asyncDispose]()
  }
  expect(await b.queue.getJobCounts('completed', 'failed', 'wait', 'active')).toMatchObject({
    completed: JOBS,
    failed: 0,
    wait: 0,
    active: 0,
  })
  await expectPromiseKept(b.client, { ids, starts: 1 })
  const runs = await readOracle(b.client)
  expect(runs.size).toBe(JOBS)
  // Each of the three took its share.
  const completed = replicas.map(replica => Number(replica.events('fleet.stopped')[0]?.['completed']))
  expect(completed.reduce((sum, count) => sum + count, 0)).toBe(JOBS)
  expect(Math.min(...completed)).toBeGreaterThan(0)
})

/** A job whose name a replica does not know: another replica's, or nobody's. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bench, fateOf, untilFinished, untilState } from '../helpers/fleet.ts'
import { expectPromiseKept } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const OTHER_JOBS = fileURLToPath(new URL('../fixtures/jobs-other', import.meta.url))

it('fails with NoHandlerError and the known names when nobody has the handler', async () => {
  await using b = await bench(redis)
  await using replica = await Replica.start({ redis })
  const { id } = await b.queue.add('elsewhere', {}, { attempts: 5 })
  const fate = await untilState(b.queue, id)
  expect(fate).toMatchObject({ state: 'failed', attemptsMade: 1, attemptsStarted: 1 })
  expect(fate.failedReason).toMatch(
    /^NoHandlerError: no replica on queue fleet has a handler named elsewhere; known here: act, act-2s/,
  )
  expect(await replica.event('job.unknown', { id })).toMatchObject({ putBack: false, job: 'elsewhere' })
})

it('runs where the handler is, unspent, while another replica of the queue does not know it', async () => {
  await using b = await bench(redis)
  await using ignorant = await Replica.start({ redis })
  await using _knowing = await Replica.start({ redis, jobs: OTHER_JOBS })
  const jobs = await b.queue.addBulk(Array.from({ length: 30 }, () => ({ name: 'elsewhere', data: {} })))
  // And the other way round, so that each of the two has to pass on what is not its own.
  const own = await b.acts(30, { do: 'return', value: 'act' })
  await untilFinished(b.queue, 60)
  for (const { id } of jobs)
    expect(await fateOf(b.queue, id)).toMatchObject({
      state: 'completed',
      returnvalue: 'known here',
      attemptsMade: 1,
    })
  for (const { id } of own)
    expect(await fateOf(b.queue, id)).toMatchObject({
      state: 'completed',
      returnvalue: 'act',
      attemptsMade: 1,
    })
  expect(ignorant.events('job.unknown').length).toBeGreaterThan(0)
  expect(ignorant.events('job.unknown').filter(({ putBack }) => putBack !== true)).toEqual([])
  await expectPromiseKept(b.client, { ids: [...jobs, ...own].map(job => job.id as string), starts: 1 })
})

it('fails it once the one replica that had the handler has left', async () => {
  await using b = await bench(redis)
  await using _ignorant = await Replica.start({ redis })
  await using knowing = await Replica.start({ redis, jobs: OTHER_JOBS })
  knowing.kill('SIGTERM')
  expect((await knowing.ended).code).toBe(0)
  const { id } = await b.queue.add('elsewhere', {})
  expect(await untilState(b.queue, id)).toMatchObject({ state: 'failed', attemptsStarted: 1 })
})

/** Redis goes away: a replica that is told to stop keeps its deadline, one that is not waits and goes on. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bench, EITHER_KIND, untilState } from '../helpers/fleet.ts'
import { expectPromiseKept, untilRecorded } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeEach(async () => void (redis = await startRedis()))
afterEach(() => redis.stop())

/** grace 1 s, abort grace 1 s, hand-back 1.5 s, two closes of 1 s and the last one: what the steps may take at most. */
const DEADLINE = 8_000

describe.each(EITHER_KIND)('in a %s', isolation => {
  const args = ['--isolation', isolation, '--grace', '1s']

  it.each(['frozen', 'killed'])('stops in time while Redis is %s and a job spins', async how => {
    await using b = await bench(redis)
    await using replica = await Replica.start({ redis, args })
    await b.act({ do: 'spin-forever' })
    await untilRecorded(b.client, 'start', 1)
    if (how === 'frozen') redis.freeze()
    else await redis.stop()
    replica.kill('SIGTERM')
    const { code, ms } = await replica.ended
    expect(code).toBe(75)
    expect(ms).toBeLessThan(DEADLINE)
  })

  it('stops in time while Redis is killed and nothing runs', async () => {
    await using replica = await Replica.start({ redis, args })
    await redis.stop()
    replica.kill('SIGTERM')
    const { code, ms } = await replica.ended
    expect(code).toBe(0)
    expect(ms).toBeLessThan(DEADLINE)
  })
})

it('goes on after Redis was restarted under it, and keeps a result that came in the meantime', async () => {
  await using b = await bench(redis)
  await using _replica = await Replica.start({ redis })
  const during = await b.act({ do: 'spin', ms: 1_500, value: 'kept' })
  await untilRecorded(b.client, 'start', 1)
  await redis.restart()
  expect(await untilState(b.queue, during.id)).toMatchObject({ state: 'completed', returnvalue: 'kept' })
  const after = await b.act({ do: 'return', value: 'after' })
  expect(await untilState(b.queue, after.id)).toMatchObject({ state: 'completed', returnvalue: 'after' })
  await expectPromiseKept(b.client, { ids: [during.id as string, after.id as string], starts: 1 })
})

it('runs no job twice when Redis was away for two lock durations, though another replica waits to take them', async () => {
  await using b = await bench(redis)
  const flags = ['--lock-duration', '1s', '--stalled-interval', '300ms', '--concurrency', '10']
  await using one = await Replica.start({ redis, args: flags })
  const jobs = await b.acts(10, { do: 'gate', value: 'kept' })
  const ids = jobs.map(({ id }) => id as string)
  await untilRecorded(b.client, 'start', 10)
  await using two = await Replica.start({ redis, args: flags })
  await redis.restart(() => sleep(2_000))
  // In which it would be noticed who sweeps too early: one may be back 2 s before the other.
  await sleep(4_000)
  await b.open()
  for (const id of ids) {
    const fate = await untilState(b.queue, id)
    expect(fate).toMatchObject({ state: 'completed', returnvalue: 'kept', attemptsStarted: 1 })
  }
  await expectPromiseKept(b.client, { ids, starts: 1 })
  expect([...one.events('job.superseded'), ...two.events('job.superseded')]).toEqual([])
  const after = await b.act({ do: 'return', value: 'after' })
  expect(await untilState(b.queue, after.id)).toMatchObject({ state: 'completed', returnvalue: 'after' })
})

it('says so when Redis came back empty, ends what ran, and goes on', async () => {
  await using b = await bench(redis)
  await using replica = await Replica.start({ redis, args: ['--lock-duration', '1s'] })
  const { id } = await b.act({ do: 'sleep', ms: 600_000 })
  await untilRecorded(b.client, 'start', 1)
  await redis.restart(() => rmSync(join(redis.dir, 'appendonlydir'), { recursive: true }))
  const told = await replica.event('job.superseded', { id: id as string })
  expect(told['reason']).toBe(`job ${id} was removed while it ran`)
  const after = await b.act({ do: 'return', value: 'after' })
  expect(await untilState(b.queue, after.id)).toMatchObject({ state: 'completed', returnvalue: 'after' })
  replica.kill('SIGTERM')
  expect((await replica.ended).code).toBe(0)
})

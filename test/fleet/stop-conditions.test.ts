/** Ends given beforehand: drained, so many jobs, so long, so long without a job. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readQueue } from '../../src/fleet/stop-conditions.ts'
import { bench, fateOf, untilState } from '../helpers/fleet.ts'
import { readOracle } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

describe('a replica', () => {
  it('with --drain ends with 0 once everything has run, and leaves what is delayed', async () => {
    await using b = await bench(redis)
    const jobs = await b.acts(60, { do: 'sleep', ms: 20 })
    const later = await b.act({ do: 'return' }, { delay: 600_000 })
    await using replica = await Replica.start({ redis, args: ['--drain'] })
    const { code, stderr } = await replica.ended
    expect(code, stderr).toBe(0)
    for (const { id } of jobs) expect((await fateOf(b.queue, id)).state).toBe('completed')
    expect((await fateOf(b.queue, later.id)).state).toBe('delayed')
    expect(replica.events('fleet.stopped')).toMatchObject([
      { reason: 'drained', completed: 60, handedBack: 0 },
    ])
  })

  it('with --drain waits for jobs that run, its own and those they enqueue', async () => {
    await using b = await bench(redis)
    const running = await b.act({ do: 'gate' })
    await using replica = await Replica.start({ redis, args: ['--drain'] })
    await untilState(b.queue, running.id, 'active')
    const next = await b.act({ do: 'sleep', ms: 600 })
    await untilState(b.queue, next.id, 'completed')
    await b.open()
    expect((await replica.ended).code).toBe(0)
    expect((await fateOf(b.queue, running.id)).state).toBe('completed')
  })

  it.each([1, 7, 25])('with --max-jobs %i starts exactly so many', async count => {
    await using b = await bench(redis)
    const jobs = await b.acts(60, { do: 'sleep', ms: 30 })
    await using replica = await Replica.start({
      redis,
      args: ['--max-jobs', String(count), '--concurrency', '10'],
    })
    expect((await replica.ended).code).toBe(0)
    expect((await readOracle(b.client)).size).toBe(count)
    const fates = await Promise.all(jobs.map(({ id }) => fateOf(b.queue, id)))
    expect(fates.filter(({ state }) => state === 'completed')).toHaveLength(count)
    expect(fates.filter(({ state, attemptsMade }) => state === 'waiting' && attemptsMade === 0)).toHaveLength(
      60 - count,
    )
  })

  it('with --max-time stops after so long, and hands back what does not end in its grace', async () => {
    await using b = await bench(redis)
    const { id } = await b.act({ do: 'sleep', ms: 600_000 })
    await using replica = await Replica.start({ redis, args: ['--max-time', '1s', '--grace', '200ms'] })
    const { code } = await replica.ended
    expect(code).toBe(75)
    expect(await fateOf(b.queue, id)).toMatchObject({ state: 'waiting', attemptsMade: 0 })
    expect(await replica.event('fleet.stopping')).toMatchObject({
      reason: 'maximum time reached',
      running: 1,
    })
  })

  it('with --idle-timeout stops so long after its last job', async () => {
    await using b = await bench(redis)
    const { id } = await b.act({ do: 'sleep', ms: 1_500 })
    await using replica = await Replica.start({ redis, args: ['--idle-timeout', '1s'] })
    expect((await replica.ended).code).toBe(0)
    expect((await fateOf(b.queue, id)).state).toBe('completed')
    const [finished, stopping] = [replica.events('job.completed')[0], replica.events('fleet.stopping')[0]]
    expect(Number(stopping?.['time']) - Number(finished?.['time'])).toBeGreaterThanOrEqual(990)
  })
})

describe('readQueue', () => {
  it.each([
    ['mail', ['mail', 10]],
    ['mail:20', ['mail', 20]],
    ['{mail}:1', ['{mail}', 1]],
  ])('%s', (text, expected) => expect(readQueue(text, 10)).toEqual(expected))

  it.each(['', ':3', 'mail:', 'mail:0', 'mail:x', 'mail:-1', 'a:b:3'])('refuses %j', text => {
    expect(() => readQueue(text, 10)).toThrow(/--queue: expected a name, or name:concurrency/)
  })
})

/** What the author's tools promise over retries, crashes and timeouts, as what they leave in Redis. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EITHER_KIND, untilState, type Bench } from '../helpers/fleet.ts'
import { withReplica } from '../helpers/one-replica.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import type { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

describe.each(EITHER_KIND)('in a %s', isolation => {
  let b: Bench
  let replica: Replica
  withReplica(
    () => redis,
    [
      '--isolation',
      isolation,
      '--executors',
      '1',
      '--concurrency',
      '50',
      '--queue',
      'fleet',
      '--queue',
      'default',
    ],
    one => void ({ b, replica } = one),
  )
  const use = async (what: string, attempts = 1) => {
    const { id } = await b.queue.add('tools', { use: what }, { attempts })
    return { ...(await untilState(b.queue, id)), id: id as string }
  }

  it('chunks go on after a crash of their executor from the position that was kept', async () => {
    const { id, ...fate } = await use('crash-in-chunks', 2)
    expect(fate).toMatchObject({ state: 'completed', returnvalue: 100, attemptsStarted: 2 })
    const walked = (await b.client.lrange(`walk:${id}`, 0, -1)).map(line => line.split(':').map(Number))
    const from = (fence: number) => walked.filter(([f]) => f === fence).map(([, start]) => start)
    expect(from(1)).toEqual([0, 10, 20, 30, 40, 50, 60])
    const [first = 0] = from(2)
    // The chunk that took 600 ms was kept, and those after it may be run again: at least once, never less.
    expect([40, 50, 60]).toContain(first)
    expect(from(2)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90].filter(start => start >= first))
    expect((await b.queue.getJob(id))?.progress).toEqual({ done: 100, total: 100 })
  })

  it('chunks go on after a failure from the very chunk that failed', async () => {
    const { id, ...fate } = await use('throw-in-chunks', 2)
    expect(fate).toMatchObject({ state: 'completed', returnvalue: 10, attemptsMade: 2 })
    expect((await b.client.lrange(`walk:${id}`, 0, -1)).map(Number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('chunks end at the timeout, in time, and their position is kept', async () => {
    const { id, ...fate } = await use('endless-chunks')
    expect(fate.failedReason).toBe('TimeoutError: tools ran longer than its timeout of 4s')
    expect(replica.events('executor.ended').filter(({ reason }) => /timeout/.test(String(reason)))).toEqual(
      [],
    )
    const job = await b.queue.getJob(id)
    const { done } = job!.progress as { done: number }
    expect(done).toBeGreaterThan(0)
    // Whoever retries it by hand goes on from there.
    expect(await b.client.hget(`bull:fleet:${id}`, 'runner:step:chunks:rows')).toBe(String(done))
  })

  it('a step that was kept is not run again after a crash, and gives the same value', async () => {
    const { id, ...fate } = await use('crash-between-steps', 2)
    expect(fate).toMatchObject({
      state: 'completed',
      attemptsStarted: 2,
      returnvalue: { first: { nth: 1, at: '1970-01-01T00:00:00.000Z' }, nothing: 'undefined' },
    })
    expect(await b.client.mget(`first:${id}`, `nothing:${id}`)).toEqual(['1', '1'])
  })

  it('a step that throws is run again', async () => {
    const { id, ...fate } = await use('throw-in-a-step', 2)
    expect(fate).toMatchObject({ state: 'completed', returnvalue: 2 })
    expect(await b.client.get(`odd:${id}`)).toBe('2')
  })

  it('a checkpoint survives failures and crashes', async () => {
    expect((await use('checkpoint', 3)).returnvalue).toEqual({ before: [1, 2], after: [1, 2, 3] })
    const crashed = await use('crash-after-checkpoint', 2)
    expect(crashed).toMatchObject({ state: 'completed', returnvalue: { cursor: 'é', page: 7 } })
  })

  it('map gives results in order', async () => {
    expect((await use('map')).returnvalue).toEqual(['a', 'bb', 'ccc'])
  })

  it('says which option, and what of which job is too large', async () => {
    expect((await use('bad-size')).failedReason).toBe(
      'RunnerError: tools: size of chunks: expected a whole number from 1, got 0',
    )
    expect((await use('large-checkpoint')).failedReason).toBe(
      'RunnerError: tools: the checkpoint has 1048578 bytes of JSON, 1048576 are allowed',
    )
  })

  it('ten busy walks in the same executor leave a neighbour its timers', async () => {
    const walks = await b.queue.addBulk(
      Array.from({ length: 10 }, () => ({ name: 'tools', data: { use: 'busy' } })),
    )
    const { returnvalue } = await use('neighbour')
    for (const { id } of walks) expect(await untilState(b.queue, id)).toMatchObject({ state: 'completed' })
    // A slice of one walk, not of ten.
    expect(returnvalue).toBeLessThan(50)
  })

  it('a plain function has them too, and its job is still shown as BullMQ has it', async () => {
    const { id } = await b.queue.add('plain-tools', {})
    const { returnvalue } = await untilState(b.queue, id)
    const { shown, ...rest } = returnvalue as { shown: string[] }
    expect(rest).toEqual({ checkpoint: 2, squares: [1, 4, 9], rows: 3 })
    expect(shown).toEqual(expect.arrayContaining(['id', 'name', 'data', 'opts', 'attemptsMade']))
    for (const tool of ['step', 'chunks', 'map', 'checkpoint']) expect(shown).not.toContain(tool)
    expect((await b.queue.getJob(id as string))?.progress).toBe(3)
  })
})

/** How a run may end, and what its job then is in Redis, as a user of BullMQ sees it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fateOf, KINDS, untilState, type Bench } from '../helpers/fleet.ts'
import { withReplica } from '../helpers/one-replica.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import type { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

describe.each(KINDS)('in a %s', isolation => {
  let b: Bench
  let replica: Replica
  withReplica(
    () => redis,
    ['--isolation', isolation],
    one => void ({ b, replica } = one),
  )

  it.each([
    ['a value', { do: 'return', value: { a: [1, null, 'é😀\n'] } }, { a: [1, null, 'é😀\n'] }],
    ['nothing', { do: 'nothing' }, null],
    ['null', { do: 'return', value: null }, null],
    ['a function, which JSON has not', { do: 'function' }, null],
  ])('completes with %s', async (_what, act, returned) => {
    const { id } = await b.act(act)
    expect(await untilState(b.queue, id)).toMatchObject({
      state: 'completed',
      attemptsMade: 1,
      returnvalue: returned,
    })
  })

  it.each([
    ['a BigInt', 'bigint', /BigInt/],
    ['a ring', 'circular', /circular/],
  ])('fails clearly, once, with %s for a result', async (_what, what, reason) => {
    const { id } = await b.act({ do: what }, { attempts: 3 })
    const fate = await untilState(b.queue, id)
    expect(fate).toMatchObject({ state: 'failed', attemptsMade: 1 })
    expect(fate.failedReason).toMatch(/^RunnerError: act returned a value that is not JSON: /)
    expect(fate.failedReason).toMatch(reason)
  })

  it('carries 5 MB in and out', async () => {
    const text = '語'.repeat(1_700_000)
    const into = await b.act({ do: 'length', text })
    const out = await b.act({ do: 'large', value: 2_500_000 })
    expect(await untilState(b.queue, into.id)).toMatchObject({ returnvalue: text.length })
    expect((await untilState(b.queue, out.id)).returnvalue).toBe('é'.repeat(2_500_000))
  })

  it('keeps the message and the stack of what was thrown', async () => {
    const { id } = await b.act({ do: 'throw', text: 'disk full' })
    expect(await untilState(b.queue, id)).toMatchObject({ state: 'failed', failedReason: 'disk full' })
    const stack = (await b.queue.getJob(id as string))?.stacktrace?.[0]
    expect(stack).toContain('fixtures/actions.ts')
    expect(stack).not.toContain('fleet/inside')
  })

  it.each([
    ['a string', 'no', 'threw string: "no"'],
    ['null', null, 'threw object: null'],
    ['an object', { a: 1 }, 'threw object: {"a":1}'],
  ])('says what was thrown when it is %s', async (_what, value, reason) => {
    const { id } = await b.act({ do: 'throw-value', value })
    expect(await untilState(b.queue, id)).toMatchObject({ state: 'failed', failedReason: reason })
  })

  it('Retry waits its own time and uses an attempt', async () => {
    const act = { do: 'retry', text: '400ms', untilFence: 2 }
    const { id } = await b.act(act, { attempts: 2, backoff: 600_000 })
    await untilState(b.queue, id, 'delayed')
    expect(await untilState(b.queue, id)).toMatchObject({
      state: 'completed',
      attemptsMade: 2,
      attemptsStarted: 2,
    })
    const job = await b.queue.getJob(id as string)
    expect(job?.opts.backoff, 'the backoff of the producer stays').toEqual({ type: 'fixed', delay: 600_000 })
    const last = await b.act({ do: 'retry', text: '400ms' }, { attempts: 1 })
    expect(await untilState(b.queue, last.id)).toMatchObject({
      state: 'failed',
      failedReason: 'retry in 400ms',
    })
  })

  it('Snooze waits and uses no attempt', async () => {
    const { id } = await b.act({ do: 'snooze', text: '300ms', untilFence: 4 }, { attempts: 1 })
    expect(await untilState(b.queue, id)).toMatchObject({
      state: 'completed',
      attemptsMade: 1,
      attemptsStarted: 4,
    })
  })

  it('Cancel and Unrecoverable fail for good', async () => {
    const cancelled = await b.act({ do: 'cancel', text: 'not wanted' }, { attempts: 5 })
    const hopeless = await b.act({ do: 'unrecoverable', text: 'no such user' }, { attempts: 5 })
    expect(await untilState(b.queue, cancelled.id)).toMatchObject({
      state: 'failed',
      attemptsMade: 1,
      failedReason: 'cancelled: not wanted',
    })
    expect(await untilState(b.queue, hopeless.id)).toMatchObject({
      state: 'failed',
      attemptsMade: 1,
      failedReason: 'no such user',
    })
  })

  it('takes attempts and backoff from the file when the producer set none', async () => {
    const { id } = await b.queue.add('retried', { until: 3 })
    await untilState(b.queue, id, 'delayed')
    expect(await untilState(b.queue, id)).toMatchObject({
      state: 'completed',
      attemptsMade: 3,
      returnvalue: { attempt: 3, fence: 3, key: `fleet:${id}` },
    })
    const lost = await b.queue.add('retried', { until: 9 })
    expect(await untilState(b.queue, lost.id)).toMatchObject({
      state: 'failed',
      attemptsMade: 4,
      failedReason: 'attempt 4, fence 4',
    })
    const once = await b.queue.add('retried', { until: 9 }, { attempts: 1 })
    expect(await untilState(b.queue, once.id)).toMatchObject({ attemptsMade: 1 })
  })

  it('does not retry a payload that its schema refuses, and says which field', async () => {
    const { id } = await b.queue.add('strict', { email: 'nobody' })
    const fate = await untilState(b.queue, id)
    expect(fate).toMatchObject({ state: 'failed', attemptsMade: 1 })
    expect(fate.failedReason).toMatch(/^ArgsError: [^]*email: got "nobody"/)
  })

  it('gives the handler what the schema makes of the payload', async () => {
    const { id } = await b.queue.add('strict', { email: 'a@b.de', since: '2026-01-02' })
    expect((await untilState(b.queue, id)).returnvalue).toEqual({
      email: 'a@b.de',
      count: 7,
      since: '2026-01-02T00:00:00.000Z',
      isDate: true,
    })
  })

  it.each([
    ['not JSON', '{"do": oops'],
    ['not JSON, with every separator', '\x1e"\n\0'],
  ])('fails only the job whose payload in Redis is %s', async (_what, raw) => {
    await b.queue.pause()
    const { id } = await b.act({ do: 'return' })
    const neighbours = await b.acts(10, { do: 'return', value: 'fine' })
    await b.client.hset(`bull:fleet:${id}`, 'data', raw)
    await b.queue.resume()
    for (const neighbour of neighbours)
      expect((await untilState(b.queue, neighbour.id)).returnvalue).toBe('fine')
    await expect.poll(() => b.client.zscore('bull:fleet:failed', id as string)).not.toBeNull()
    expect(await b.client.hget(`bull:fleet:${id}`, 'failedReason')).toMatch(
      /the payload in Redis is not JSON/,
    )
    expect(replica.events('executor.ended')).toEqual([])
  })

  it('leaves no crash, no lost lock and no error behind', async () => {
    expect(replica.events('worker.error')).toEqual([])
    expect(replica.events('job.superseded')).toEqual([])
    expect(replica.events('executor.ended')).toEqual([])
    const { id } = await b.act({ do: 'return' })
    expect(await untilState(b.queue, id)).toMatchObject({ state: 'completed' })
    expect(await fateOf(b.queue, id)).toMatchObject({ stalledCounter: 0 })
  })
})

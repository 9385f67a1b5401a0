/** Each member of `ctx`, as what it leaves behind in Redis. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { QueueEvents } from 'bullmq'
import { EITHER_KIND, untilState, type Bench, type Fate } from '../helpers/fleet.ts'
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
    ['--isolation', isolation, '--redact', 'password'],
    one => void ({ b, replica } = one),
  )

  const use = async (what: string, args: object = {}): Promise<Fate & { id: string }> => {
    const job = await b.queue.add('context', { use: what, ...args })
    return { ...(await untilState(b.queue, job.id)), id: job.id as string }
  }

  it('says what job it is', async () => {
    const { id, returnvalue } = await use('facts')
    expect(returnvalue).toEqual({
      id,
      name: 'context',
      queue: 'fleet',
      attempt: 1,
      fence: 1,
      key: `fleet:${id}`,
    })
  })

  it('keeps the key and raises the fence at every start, the attempt at every failure', async () => {
    const { id } = await b.queue.add('retried', { until: 2 })
    expect((await untilState(b.queue, id)).returnvalue).toEqual({ attempt: 2, fence: 2, key: `fleet:${id}` })
  })

  it('writes the first and the last of a thousand steps of progress, and few between', async () => {
    const events = new QueueEvents('fleet', { connection: b.client.duplicate() })
    await events.waitUntilReady()
    const seen: unknown[] = []
    events.on('progress', ({ data }) => seen.push(data))
    const { id } = await use('progress')
    const job = await b.queue.getJob(id)
    expect(job?.progress).toEqual({ done: 1_000, total: 1_000, note: 'row 1000' })
    await expect.poll(() => seen.at(-1)).toEqual({ done: 1_000, total: 1_000, note: 'row 1000' })
    expect(seen).toHaveLength(2)
    seen.length = 0
    await use('slow-progress')
    await expect.poll(() => seen.at(-1)).toEqual({ done: 10, total: 10 })
    expect(seen.length).toBeGreaterThan(2)
    expect(seen.length).toBeLessThan(8)
    await events.close()
  })

  it('logs to the job and to the process, without what is redacted', async () => {
    const { id } = await use('log', { secret: 'hunter2' })
    const { logs } = await b.queue.getJobLogs(id)
    expect(logs).toEqual([
      'INFO moved rows {"table":"users","password":"[Redacted]","args":{"password":"[Redacted]"}}',
      'DEBUG in detail',
      'INFO as BullMQ has it',
      expect.stringMatching(/^ERROR seen by the log \{"err":/),
      expect.stringMatching(/^WARN seen deeper \{"deep":.*"c":\{"password":"\[Redacted\]"\}.*"err":/),
    ])
    expect(logs.join('\n')).not.toContain('hunter2')
    await replica.until(() => replica.lines.some(line => line.msg === 'seen deeper'), 'the line')
    const line = replica.lines.find(one => one.msg === 'moved rows')
    expect(line).toMatchObject({ level: 30, queue: 'fleet', job: 'context', id, attempt: 1, table: 'users' })
    expect(replica.stderr).not.toContain('hunter2')
  })

  it('says why it refuses a payload, without what is redacted', async () => {
    const { id } = await b.queue.add('strict', { email: 'x@y.de', password: 31_337 })
    const { failedReason } = await untilState(b.queue, id)
    expect(failedReason).toBe(
      'ArgsError: the payload of strict is refused\n  password: got "[Redacted]", expected string',
    )
  })

  it('says that a payload in Redis is not JSON, without quoting it when fields are redacted', async () => {
    await b.queue.pause()
    const { id } = await b.act({ do: 'return' })
    await b.client.hset(`bull:fleet:${id}`, 'data', '{"password":hunter2}')
    await b.queue.resume()
    const read = (field: string) => b.client.hget(`bull:fleet:${id}`, field)
    await expect
      .poll(() => read('failedReason'))
      .toContain('the payload in Redis is not JSON\n  it is not shown')
    expect(await read('stacktrace')).not.toContain('hunter2')
  })

  it('adds another job with the options of its file and its own', async () => {
    const made = await use('enqueue', {
      name: 'strict',
      payload: { email: 'x@y.de' },
      options: { id: `own-${isolation}` },
    })
    expect(made).toMatchObject({ state: 'completed', returnvalue: `own-${isolation}` })
    const fate = await untilState(b.queue, made.returnvalue as string)
    expect(fate.returnvalue).toMatchObject({ email: 'x@y.de', count: 7 })
    const job = await b.queue.getJob(made.returnvalue as string)
    // The input of the schema, not its output, is what is stored; it is applied once, before the run.
    expect(job).toMatchObject({ name: 'strict', data: { email: 'x@y.de' }, opts: { attempts: 5 } })
  })

  it.each([
    ['a payload its schema refuses', { name: 'strict', payload: { email: 'nobody' } }, /email: got "nobody"/],
    ['an unknown name', { name: 'stict', payload: {} }, /no job is named stict/],
    ['a wrong option', { name: 'act', payload: {}, options: { priority: -1 } }, /priority: got -1/],
  ])('refuses to add a job with %s, and leaves nothing in Redis', async (_what, args, reason) => {
    const before = await b.client.get('bull:fleet:id')
    const fate = await use('enqueue', args)
    expect(fate.state).toBe('failed')
    expect(fate.failedReason).toMatch(reason)
    // The only new id is that of the job that tried.
    expect(Number(await b.client.get('bull:fleet:id')) - Number(before)).toBe(1)
  })

  it('breathe lets timers run in a handler that never waits', async () => {
    expect((await use('breathe')).returnvalue).toBeGreaterThan(5)
  })

  it('breathe rejects once the run was aborted, here by its timeout', async () => {
    const fate = await use('breathe-forever')
    expect(fate).toMatchObject({ state: 'failed', attemptsMade: 1 })
    expect(fate.failedReason).toBe('TimeoutError: context ran longer than its timeout of 3s')
    expect(replica.events('executor.ended')).toEqual([])
  })

  it('aborts the signal at the timeout, with a reason', async () => {
    const fate = await use('reason')
    expect(fate.failedReason).toMatch(/^TimeoutError: /)
    expect(replica.events('executor.ended')).toEqual([])
  })
})

/** A processor file written for BullMQ's sandbox runs as it is, flows and schedulers included. */
import { FlowProducer } from 'bullmq'
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
    ['--isolation', isolation, '--queue', 'fleet'],
    one => void ({ b, replica } = one),
  )
  const use = (what: string, attempts = 1) => b.queue.add('processor', { use: what }, { attempts })

  it('is given the job, the token and a signal', async () => {
    const { id } = await use('facts', 3)
    expect((await untilState(b.queue, id)).returnvalue).toEqual({
      id,
      name: 'processor',
      data: { use: 'facts' },
      attempts: 3,
      attemptsMade: 0,
      attemptsStarted: 1,
      queueName: 'fleet',
      token: true,
      signal: true,
    })
  })

  it('writes log, progress and data', async () => {
    const { id } = await use('writes')
    expect(await untilState(b.queue, id)).toMatchObject({ returnvalue: { use: 'writes', seen: true } })
    const job = await b.queue.getJob(id as string)
    expect(job).toMatchObject({ progress: 42, data: { use: 'writes', seen: true } })
    expect((await b.queue.getJobLogs(id as string)).logs).toEqual([expect.stringContaining('first row')])
  })

  it('keeps what BullMQ means by DelayedError', async () => {
    const { id } = await use('delayed')
    expect(await untilState(b.queue, id)).toMatchObject({
      returnvalue: 'after a delay',
      attemptsMade: 1,
      attemptsStarted: 2,
    })
  })

  it('keeps what BullMQ means by UnrecoverableError', async () => {
    const { id } = await use('unrecoverable', 5)
    expect(await untilState(b.queue, id)).toMatchObject({
      state: 'failed',
      failedReason: 'never again',
      attemptsMade: 1,
    })
  })

  it('keeps what BullMQ means by RateLimitError: back to the queue, unspent', async () => {
    const { id } = await use('rate-limit')
    expect(await untilState(b.queue, id)).toMatchObject({
      state: 'completed',
      returnvalue: 'after the limit',
      attemptsMade: 1,
    })
  })

  it('fails with the error it threw', async () => {
    const { id } = await use('throws')
    expect(await untilState(b.queue, id)).toMatchObject({ failedReason: 'as any function does' })
  })

  it('runs a parent after its children, with their results', async () => {
    const flows = new FlowProducer({ connection: b.client })
    const child = (value: string) => ({ name: 'act', queueName: 'fleet', data: { do: 'return', value } })
    const { job } = await flows.add({
      name: 'processor',
      queueName: 'fleet',
      data: { use: 'parent' },
      children: [child('one'), child('two'), child('three')],
    })
    expect((await untilState(b.queue, job.id)).returnvalue).toEqual(['one', 'three', 'two'])
    await flows.close()
  })

  it('lets a job wait for children that are added while it runs (WaitingChildrenError)', async () => {
    const { id } = await use('late-child')
    await untilState(b.queue, id, 'waiting-children')
    expect(await untilState(b.queue, id)).toMatchObject({
      state: 'completed',
      returnvalue: ['late'],
      attemptsMade: 1,
    })
  })

  it('goes on with a job scheduler, whose every job brings the payload', async () => {
    await b.queue.upsertJobScheduler(
      'ticker',
      { every: 200, limit: 4 },
      { name: 'act', data: { do: 'return', value: { tick: 'é' }, say: `ticks-${isolation}` } },
    )
    await expect.poll(() => b.client.llen(`ticks-${isolation}`)).toBe(4)
    const ids = await b.client.lrange(`ticks-${isolation}`, 0, -1)
    expect(new Set(ids).size).toBe(4)
    for (const id of ids)
      expect(await untilState(b.queue, id)).toMatchObject({
        state: 'completed',
        returnvalue: { tick: 'é' },
        attemptsMade: 1,
      })
    await b.queue.removeJobScheduler('ticker')
    expect(replica.events('worker.error')).toEqual([])
  })
})

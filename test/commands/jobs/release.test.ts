/** What gets into the quarantine, what is shown of it, and how it gets out. */
import { FlowProducer } from 'bullmq'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Quarantined } from '../../../src/redis/quarantine.ts'
import type { Act } from '../../fixtures/actions.ts'
import { bench, fateOf, untilState } from '../../helpers/fleet.ts'
import { isLong } from '../../helpers/long.ts'
import { untilRecorded } from '../../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { Replica } from '../../helpers/replica.ts'
import { runner } from '../../helpers/runner.ts'

// Each starts replicas, ends executors and calls the CLI, up to six times.
vi.setConfig({ testTimeout: 90_000 })

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const cli = (...args: string[]) => runner([...args, '--redis', redis.url], { cwd: import.meta.dirname })
const listed = async (...args: string[]) =>
  JSON.parse((await cli('queues', 'quarantine', ...args, '--json')).stdout) as Quarantined[]

const FIFTEEN_ATTEMPTS = { attempts: 15, removeOnFail: true }

const CAUSES: [Quarantined['cause'], Act, RegExp, RegExp | undefined][] = [
  ['exit', { do: 'exit' }, /^act called process\.exit\(1\)$/, /actions\.ts/],
  [
    'out of memory',
    { do: 'allocate', value: 2 ** 28 },
    /ran out of memory \(heap limit 64 MiB\)$/,
    undefined,
  ],
  ['blocked', { do: 'spin-forever' }, /^act held its event loop/, /actions\.ts/],
]

// Each of them takes a quarter of a minute, and ends three executors by the same way.
it.each(CAUSES.slice(0, isLong ? undefined : 1))(
  '%s: after three executors a job is kept, told, and runs again once it is released',
  async (cause, act, reason, stack) => {
    await using b = await bench(redis)
    // To fill the memory holds the event loop too.
    const limit = cause === 'blocked' ? '2s' : 'false'
    const args = ['--executors', '1', '--executor-memory', '64MiB', '--block-limit', limit]
    await using _replica = await Replica.start({ redis, args })
    const { id } = await b.act({ ...act, untilFence: 4, value: 2 ** 28 }, FIFTEEN_ATTEMPTS)
    const fate = await untilState(b.queue, id, 'failed')
    expect(fate.failedReason).toMatch(/^CrashLoopError: act took down 3 executors/)
    const [entry, ...others] = await listed()
    expect(others).toEqual([])
    expect(entry).toMatchObject({ queue: 'fleet', id, job: 'act', cause, crashes: 3 })
    expect(entry?.reason).toMatch(reason)
    expect(entry?.peakRss).toBeGreaterThan(64 * 2 ** 20)
    if (stack !== undefined) expect(entry?.stack).toMatch(stack)
    expect((await cli('queues', 'quarantine', 'fleet')).stdout).toContain(`fleet  act ${id}  ${cause}  rss `)
    expect(await listed('other')).toEqual([])

    expect(await cli('jobs', 'release', id as string)).toMatchObject({
      code: 0,
      stdout: `act ${id} is back in queue fleet\n`,
    })
    expect(await untilState(b.queue, id, 'completed')).toMatchObject({ attemptsMade: 1, attemptsStarted: 4 })
    expect((await cli('queues', 'quarantine')).stdout).toBe('no job is in quarantine\n')
  },
)

it('replica lost: a job that BullMQ fails for it is kept, and its stalls are forgotten when it is released', async () => {
  await using b = await bench(redis)
  const args = ['--lock-duration', '1s', '--stalled-interval', '200ms', '--max-stalled', '0']
  const { id } = await b.act({ do: 'spin-forever', untilFence: 2 }, { removeOnFail: true })
  await using lost = await Replica.start({ redis, args })
  await untilRecorded(b.client, 'start', 1)
  lost.kill('SIGKILL')
  await lost.ended
  await using _next = await Replica.start({ redis, args })
  await untilState(b.queue, id, 'failed')
  const [entry] = await listed('fleet')
  expect(entry).toMatchObject({ id, cause: 'replica lost', crashes: 0 })
  expect(entry?.reason).toMatch(/stalled more than allowable limit/)
  expect((await cli('jobs', 'release', id as string, '--queue', 'fleet')).code).toBe(0)
  expect((await untilState(b.queue, id, 'completed')).stalledCounter).toBe(0)
})

it('a parent that BullMQ fails because its child failed is in no quarantine', async () => {
  await using b = await bench(redis)
  await using _replica = await Replica.start({ redis, args: ['--executors', '1'] })
  const flows = new FlowProducer({ connection: b.client })
  const child = { name: 'act', queueName: 'fleet', data: { do: 'throw' } satisfies Act }
  const parent = { name: 'act', queueName: 'fleet', data: { do: 'nothing' } satisfies Act }
  const flow = await flows.add({
    ...parent,
    children: [{ ...child, opts: { failParentOnFailure: true, attempts: 1 } }],
  })
  const fate = await untilState(b.queue, flow.job.id, 'failed')
  expect(fate.failedReason).toMatch(/^child .* failed$/)
  expect(await listed()).toEqual([])
  await flows.close()
})

it('an id that is not there, and a job that somebody removed, end with exit code 6', async () => {
  await using b = await bench(redis)
  await using _replica = await Replica.start({ redis, args: ['--executors', '1'] })
  const { id } = await b.act({ do: 'exit' }, { attempts: 15, jobId: 'invoice-17' })
  await untilState(b.queue, id, 'failed')
  expect(await cli('jobs', 'release', 'invoice-71')).toMatchObject({
    code: 6,
    stderr: expect.stringContaining('did you mean invoice-17?') as string,
  })
  expect(await fateOf(b.queue, id)).toMatchObject({ state: 'failed' })
  await (await b.queue.getJob('invoice-17'))?.remove()
  expect(await cli('jobs', 'release', 'invoice-17')).toMatchObject({
    code: 6,
    stderr: expect.stringContaining('act invoice-17 is no longer in queue fleet') as string,
  })
  expect(await listed()).toEqual([])
})

/** A handler that ends its executor fails itself and nobody else, and the reason says how. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Act } from '../fixtures/actions.ts'
import { bench, EITHER_KIND, KINDS, untilState, type Bench } from '../helpers/fleet.ts'
import { isLong } from '../helpers/long.ts'
import { withReplica } from '../helpers/one-replica.ts'
import { expectPromiseKept } from '../helpers/oracle.ts'
import { project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const NEIGHBOURS = 30

interface Case {
  how: string
  act: Act
  name?: string
  reason: RegExp
  only?: (typeof KINDS)[number]
  /** Ends in both kinds of executors by ways of their own. */
  both?: true
}

const CASES: Case[] = [
  {
    how: 'process.exit(1)',
    both: true,
    act: { do: 'exit' },
    reason: /^CrashError: act called process\.exit\(1\)/,
  },
  {
    how: 'an uncaught throw in a timer',
    act: { do: 'timer-throw', text: 'boom in a timer' },
    reason: /^CrashError: act threw outside its own promise: boom in a timer/,
  },
  {
    how: 'an unhandled rejection',
    act: { do: 'rejection', text: 'boom in a promise' },
    reason: /^CrashError: act left a rejection unhandled: boom in a promise/,
  },
  {
    how: '2 GiB of allocation',
    both: true,
    act: { do: 'allocate', value: 2 ** 31 },
    reason: /^CrashError: act ended its executor, which ran out of memory \(heap limit 96 MiB\)/,
  },
  {
    how: 'while(true) with a timeout of 2 s',
    act: { do: 'spin-forever' },
    name: 'act-2s',
    reason: /^TimeoutError: act-2s ran longer than its timeout of 2s$/,
  },
  {
    how: 'a segfault',
    act: { do: 'signal', text: 'SIGSEGV' },
    reason: /^CrashError: act ended its executor, which was ended by SIGSEGV/,
    only: 'process',
  },
  {
    how: 'a SIGKILL from outside',
    act: { do: 'signal', text: 'SIGKILL' },
    reason: /^CrashError: act ended its executor, which was ended by SIGKILL/,
    only: 'process',
  },
]

describe.each(KINDS)('in a %s', isolation => {
  const cases = CASES.filter(({ only, both }) =>
    only === undefined ? isLong || isolation === 'thread' || both === true : only === isolation,
  )

  let b: Bench
  let replica: Replica
  // One for all of them, and it is there at the end. Jobs named like one that was caught blocking would run one by one.
  const args = [
    '--concurrency',
    '60',
    '--executors',
    '2',
    '--executor-memory',
    '96MiB',
    '--block-warn',
    '10m',
  ]
  withReplica(
    () => redis,
    ['--isolation', isolation, ...args],
    one => ({ b, replica } = one),
  )

  it.each(cases)('$how fails only the job itself', async ({ how, act, name = 'act', reason }) => {
    const ended = replica.events('executor.ended').length
    const neighbours = await b.acts(NEIGHBOURS, { do: 'gate', key: `open ${how}`, say: how, value: 'fine' })
    try {
      await expect.poll(() => b.client.llen(how)).toBe(NEIGHBOURS)
      const bad = await b.act(act, { name })
      await replica.until(() => replica.events('executor.ended').length > ended, 'the end of an executor')
      // Where nobody can tell whose fault it was, all of them run alone from now on, two at a time: none may wait for it.
      await b.open(`open ${how}`)
      const fate = await untilState(b.queue, bad.id, 'failed')
      expect(fate.failedReason).toMatch(reason)
      expect(fate.attemptsMade).toBe(1)
    } finally {
      // Else they would hold the slots of all cases that follow.
      await b.open(`open ${how}`)
    }
    for (const { id } of neighbours)
      expect(await untilState(b.queue, id)).toMatchObject({
        state: 'completed',
        returnvalue: 'fine',
        attemptsMade: 1,
        stalledCounter: 0,
      })
    await expectPromiseKept(b.client, { ids: neighbours.map(job => job.id as string) })
    expect(replica.events('executor.ended').length).toBeGreaterThan(ended)
  })

  it('fails a job for good that took down three executors', async () => {
    const job = await b.act({ do: 'exit' }, { attempts: 10 })
    const fate = await untilState(b.queue, job.id, 'failed')
    expect(fate.failedReason).toMatch(/^CrashLoopError: act took down 3 executors.*process\.exit\(1\)/)
    expect(fate.attemptsStarted).toBe(3)
  })

  it('leaves a replica that stops as any other', async () => {
    replica.kill('SIGTERM')
    expect((await replica.ended).code).toBe(0)
  })
})

describe.each(EITHER_KIND)('in a %s', isolation => {
  it('keeps a result that was returned in the turn in which the executor ends', async () => {
    await using b = await bench(redis, 'default')
    using dir = project({
      'jobs/last.js': `export default () => { setImmediate(() => process.exit(1)); return 'kept' }`,
    })
    const args = ['--isolation', isolation, '--executors', '1']
    await using replica = await Replica.start({ redis, cwd: dir.dir, jobs: 'jobs', args })
    const { id } = await b.queue.add('last', {})
    const fate = await untilState(b.queue, id)
    expect(fate).toMatchObject({ state: 'completed', returnvalue: 'kept', attemptsStarted: 1 })
    await replica.event('executor.ended')
  })

  it('names the job whose timer ends executors after its run, and its neighbours get out of its reach', async () => {
    await using b = await bench(redis, 'default')
    using dir = project({
      'jobs/stray.js': `export default () => void setTimeout(() => { throw new Error('late') }, 100)`,
      'jobs/slow.js': `export default () => new Promise(done => setTimeout(done, 3_000, 'fine'))`,
    })
    const args = ['--isolation', isolation, '--executors', '1']
    await using replica = await Replica.start({ redis, cwd: dir.dir, jobs: 'jobs', args })
    const victim = await b.queue.add('slow', {})
    await untilState(b.queue, victim.id, 'active')
    // Never longer without a stray timer than the victim takes.
    for (let deaths = 1; deaths <= 4; deaths++) {
      const stray = await b.queue.add('stray', {})
      await replica.event('executor.ended', { culprit: `stray ${stray.id}` })
    }
    expect(await untilState(b.queue, victim.id)).toMatchObject({
      state: 'completed',
      returnvalue: 'fine',
      attemptsMade: 1,
      attemptsStarted: 2,
    })
  })
})

it.each(EITHER_KIND)('gives an executor that is a %s a heap of 1 GiB by default', async isolation => {
  await using b = await bench(redis)
  await using _replica = await Replica.start({ redis, args: ['--executors', '1', '--isolation', isolation] })
  const { id } = await b.act({ do: 'heap-limit' })
  const { returnvalue: limit } = await untilState(b.queue, id, 'completed')
  // The limit is of what grows old; V8 adds some for what is young.
  expect(limit).toBeGreaterThanOrEqual(2 ** 30)
  expect(limit).toBeLessThan(1.25 * 2 ** 30)
})

// Up to two minutes on a virtual machine that has to be given the memory first: `npm run test:long`.
it.runIf(isLong)(
  'fails a job that fills the default heap of 1 GiB, and nobody beside it',
  { timeout: 300_000 },
  async () => {
    await using b = await bench(redis)
    await using replica = await Replica.start({ redis, args: ['--executors', '1'] })
    const beside = await b.act({ do: 'gate', value: 'fine', say: 'up' })
    await expect.poll(() => b.client.llen('up')).toBe(1)
    const bad = await b.act({ do: 'allocate', value: 2 ** 31 })
    const fate = await untilState(b.queue, bad.id, 'failed', 280_000)
    expect(fate.failedReason).toMatch(/^CrashError: .*ran out of memory \(heap limit 1024 MiB\)/)
    await b.open()
    expect(await untilState(b.queue, beside.id)).toMatchObject({ state: 'completed', attemptsMade: 1 })
    replica.kill('SIGTERM')
    expect((await replica.ended).code).toBe(0)
  },
)

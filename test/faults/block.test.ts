/** A handler that holds its event loop is named while it does, is run once, and harms nobody. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, bench, fateOf, KINDS, untilFinished, untilState } from '../helpers/fleet.ts'
import { isLong } from '../helpers/long.ts'
import { expectPromiseKept } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { type LogLine, Replica } from '../helpers/replica.ts'
import { runner } from '../helpers/runner.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const jobs = fileURLToPath(new URL('../fixtures/jobs-block', import.meta.url))
const NEIGHBOURS = 5

/** `file.ts:line` of the line that is marked in a fixture. */
function marked(file: string): string {
  const path = fileURLToPath(new URL(`../fixtures/${file}`, import.meta.url))
  const line =
    readFileSync(path, 'utf8')
      .split('\n')
      .findIndex(text => text.endsWith('// here')) + 1
  return `${file}:${line}:`
}

async function loggedBy(queue: Queue, id: string): Promise<string> {
  await expect.poll(async () => (await queue.getJobLogs(id)).count).toBeGreaterThan(0)
  const { logs } = await queue.getJobLogs(id)
  return logs.join('\n')
}

const settings = (kind: string, ...more: string[]) =>
  [
    ['--isolation', kind, '--executors', '1', '--concurrency', '10'],
    ['--block-warn', '500ms', '--lock-duration', '1s', '--stalled-interval', '300ms', ...more],
  ].flat()

/**
 * Where it can be paused it is, in time on a host that has some: one that gives no processor for long is not told from
 * native code. What is said when is held by test/fleet/block.test.ts and watchdog.test.ts.
 */
const PAUSED = /^(at|in native code (called at|that returned to)) /

const BLOCKS: [name: string, file: string, how: RegExp][] = [
  ['spin', 'jobs-block/spin.ts', PAUSED],
  ['regex', 'jobs-block/regex.ts', PAUSED],
  ['wait', 'jobs-block/wait.ts', PAUSED],
  ['timer', 'jobs-block/timer.ts', PAUSED],
  ['import', 'blocking-module.ts', PAUSED],
  ['json', 'jobs-block/json.ts', /^in native code that returned to /],
  ['exec', 'jobs-block/exec.ts', /^in native code called at /],
  ['pbkdf2', 'jobs-block/pbkdf2.ts', /^in native code called at /],
]

describe.each(KINDS)('in an executor that is a %s', kind => {
  // What sees a block and what ends it is another for each kind; what is made of it is the same.
  const isWhole = isLong || kind === 'thread'
  describe('of one of two replicas', () => {
    let fleet: Bench
    /** Each would run what the other one loses. */
    let one: Replica
    let two: Replica
    beforeAll(async () => {
      fleet = await bench(redis, 'block')
      const started = [1, 2].map(() => Replica.start({ redis, jobs, args: settings(kind) }))
      ;[one, two] = (await Promise.all(started)) as [Replica, Replica]
    })
    afterAll(async () => {
      for (const open of [one, two, fleet]) await open[Symbol.asyncDispose]()
    })

    it.each(BLOCKS.filter(([name]) => isWhole || ['spin', 'exec'].includes(name)))(
      '%s: the job and the line are named, it is run once, its result is kept',
      async (name, file, how) => {
        const blocker = await fleet.queue.add(name, { ms: 3_000 })
        const neighbours = await fleet.queue.addBulk(
          Array.from({ length: NEIGHBOURS }, () => ({ name: 'neighbour', data: { ms: 300 } })),
        )
        const all = [blocker, ...neighbours]
        for (const { id } of all) await untilState(fleet.queue, id, 'completed')
        expect(await fateOf(fleet.queue, blocker.id)).toMatchObject({
          state: 'completed',
          returnvalue: 'kept',
          attemptsStarted: 1,
          stalledCounter: 0,
        })
        await expectPromiseKept(fleet.client, { ids: all.map(({ id }) => id as string), starts: 1 })
        const of = { job: name, id: blocker.id as string }
        const over = await Promise.race([one, two].map(replica => replica.event('job.unblocked', of)))
        expect(over['ms']).toBeGreaterThan(500)
        const blocked = [...one.events('job.blocked'), ...two.events('job.blocked')]
        const last = blocked.filter(line => line['job'] === name).at(-1) as Record<string, unknown>
        expect(last).toMatchObject({ ...of, queue: 'block' })
        expect(last['where']).toMatch(how)
        expect(last['where']).toContain(marked(file))
        expect(last['stack']).toContain(marked(file))
        expect(await loggedBy(fleet.queue, of.id)).toMatch(/held the event loop for /)
      },
    )

    it.runIf(isWhole)('some of them were paused while they blocked', () => {
      const blocked = [...one.events('job.blocked'), ...two.events('job.blocked')]
      expect(blocked.map(({ where }) => where)).toContainEqual(expect.stringMatching(/^at /))
    })
  })

  describe('of one replica with a limit', () => {
    let fleet: Bench
    let replica: Replica
    beforeAll(async () => {
      fleet = await bench(redis, 'block')
      replica = await Replica.start({ redis, jobs, args: settings(kind, '--block-limit', '2s') })
    })
    afterAll(async () => {
      for (const open of [replica, fleet]) await open[Symbol.asyncDispose]()
    })

    const addNeighbours = () =>
      fleet.queue.addBulk(
        Array.from({ length: NEIGHBOURS }, () => ({ name: 'neighbour', data: { ms: 1_000 } })),
      )

    // Its own limit is shorter; that comes to the same end.
    it.each([['forever', 'block.limit (2s)'], ...(isWhole ? [['strict', 'block.limit (1s)']] : [])] as [
      string,
      string,
    ][])(
      '%s: beyond the limit it fails with the line, and its neighbours are run again',
      async (name, why) => {
        const neighbours = await addNeighbours()
        const blocker = await fleet.queue.add(name, {}, { attempts: 1 })
        const { failedReason } = await untilState(fleet.queue, blocker.id, 'failed')
        const said = `BlockedError: ${name} held its event loop longer than ${why}, `
        expect(failedReason).toContain(said)
        expect(failedReason?.replace(said, '')).toMatch(PAUSED)
        expect(failedReason).toContain(marked(`jobs-block/${name}.ts`))
        const failed = await fleet.queue.getJob(blocker.id as string)
        expect(failed?.stacktrace?.[0]).toContain(marked(`jobs-block/${name}.ts`))
        for (const { id } of neighbours) {
          const fate = await untilState(fleet.queue, id, 'completed')
          expect(fate).toMatchObject({ attemptsMade: 1, stalledCounter: 0 })
        }
        expect(replica.events('executor.ended').at(-1)).toMatchObject({ culprit: `${name} ${blocker.id}` })
        await expectPromiseKept(fleet.client, { ids: neighbours.map(({ id }) => id as string), starts: 2 })
      },
    )

    it.runIf(isWhole)('patient: a job without a limit is never ended', async () => {
      const ended = replica.events('executor.ended').length
      const blocker = await fleet.queue.add('patient', { ms: 3_000 })
      expect(await untilState(fleet.queue, blocker.id, 'completed')).toMatchObject({ attemptsStarted: 1 })
      await replica.event('job.blocked', { job: 'patient' })
      expect(replica.events('executor.ended')).toHaveLength(ended)
    })

    it.runIf(isWhole)('exec among others: nobody is blamed before each has been tried alone', async () => {
      const neighbours = await addNeighbours()
      const blocker = await fleet.queue.add('exec', { ms: 20_000 }, { attempts: 1 })
      const isSuspected = (line: LogLine) =>
        (line['candidates'] as string[] | undefined)?.includes(`exec ${blocker.id}`) === true
      await replica.until(() => replica.events('job.blocked').some(isSuspected), 'exec among the candidates')
      const { failedReason } = await untilState(fleet.queue, blocker.id, 'failed')
      expect(failedReason).toContain('BlockedError: exec held its event loop longer than block.limit (2s)')
      for (const { id } of neighbours) {
        const fate = await untilState(fleet.queue, id, 'completed')
        expect(fate).toMatchObject({ attemptsMade: 1, stalledCounter: 0 })
      }
    })
  })

  it('exec: beyond the limit it is given up, its executor replaced, its neighbours run', async () => {
    await using fleet = await bench(redis, 'block')
    await using replica = await Replica.start({ redis, jobs, args: settings(kind, '--block-limit', '5s') })
    const blocker = await fleet.queue.add('exec', { ms: 20_000 }, { attempts: 1 })
    await replica.event('job.blocked', { job: 'exec', id: blocker.id as string, where: 'in native code' })
    // The executor that is shared is stuck: these wait for its successor.
    const neighbours = await fleet.queue.addBulk(
      Array.from({ length: NEIGHBOURS }, () => ({ name: 'neighbour', data: { ms: 10 } })),
    )
    const { failedReason } = await untilState(fleet.queue, blocker.id, 'failed')
    expect(failedReason).toBe(
      'BlockedError: exec held its event loop longer than block.limit (5s), in native code',
    )
    for (const { id } of neighbours) {
      expect(await untilState(fleet.queue, id, 'completed')).toMatchObject({ attemptsStarted: 1 })
    }
    expect(replica.events('executor.abandoned')).toHaveLength(kind === 'thread' ? 1 : 0)
  })
})

it('a job that was caught runs alone, also in later replicas, until it is pardoned', async () => {
  await using fleet = await bench(redis, 'block')
  const one = await Replica.start({ redis, jobs, args: settings('thread') })
  const first = await fleet.queue.add('spin', { ms: 1_500 })
  await one.event('job.solo', { job: 'spin' })
  await untilState(fleet.queue, first.id, 'completed')
  one.kill('SIGTERM')
  await one.ended

  await using two = await Replica.start({ redis, jobs, args: settings('thread') })
  await two.event('job.solo', { job: 'spin' })
  const [neighbour] = await fleet.queue.addBulk([
    { name: 'neighbour', data: { ms: 300 } },
    { name: 'spin', data: { ms: 2_000 } },
  ])
  // The one executor that all share goes on meanwhile.
  await two.event('job.blocked', { job: 'spin' })
  expect(await fateOf(fleet.queue, neighbour?.id)).toMatchObject({ state: 'completed' })
  await untilFinished(fleet.queue, 3)

  const listed = await runner(['fleet', 'pardon', '--redis', redis.url], { cwd: jobs })
  expect(listed.stdout).toMatch(
    /^spin {2}[\d.]+s {2}(at|in native code (called at|that returned to)) .*jobs-block\/spin\.ts:\d+:\d+\n$/,
  )
  const pardoned = await runner(['fleet', 'pardon', 'spin', '--redis', redis.url], { cwd: jobs })
  expect(pardoned).toMatchObject({ code: 0, stdout: 'spin shares executors again\n' })
  await two.event('job.pardoned', { job: 'spin' })
  const again = await runner(['fleet', 'pardon', 'spin', '--redis', redis.url], { cwd: jobs })
  expect(again).toMatchObject({ code: 6, stderr: expect.stringContaining('spin was not caught blocking') })
})

/** `--wait` and `--follow`, with a bare BullMQ worker as the peer. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import { Queue, Worker, type Job } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { project, type Project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { runner, runnerOnTerminal, startRunner } from '../helpers/runner.ts'

let redis: TestRedis
let dir: Project
let worker: Worker | undefined
beforeAll(async () => {
  redis = await startRedis()
  dir = project({ 'jobs/report.mjs': 'export default () => 1' })
})
afterAll(async () => {
  dir[Symbol.dispose]()
  await redis.stop()
})
beforeEach(() => redis.flush())
afterEach(async () => {
  await worker?.close(true)
  worker = undefined
})

const options = () => ({ cwd: dir.dir, env: { REDIS_URL: redis.url } })
const enqueue = (...args: string[]) => runner(['enqueue', 'report', ...args], options())

function work(process: (job: Job) => Promise<unknown>, settings: object = {}) {
  const connection = redis.client()
  connection.options.maxRetriesPerRequest = null
  worker = new Worker('default', process, { connection, ...settings })
  return worker
}

const events = (stdout: string): unknown[] =>
  stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as unknown)

describe('--wait', () => {
  test('prints what the job returns on stdout, and the rest on stderr', async () => {
    work(async job => ({ got: job.data as unknown }))
    expect(await enqueue('--n', '1', '--wait')).toEqual({
      code: 0,
      signal: null,
      stdout: '{"got":{"n":1}}\n',
      stderr: 'enqueued report 1 on queue default\n',
    })
  })

  test('prints null for nothing, and with --json says which job', async () => {
    work(async () => {})
    expect((await enqueue('--wait')).stdout).toBe('null\n')
    expect(JSON.parse((await enqueue('--wait', '--json')).stdout)).toEqual({
      id: '2',
      name: 'report',
      queue: 'default',
      added: true,
      result: null,
    })
  })

  test('a job that fails for good ends it with exit code 5 and the reason', async () => {
    let runs = 0
    work(async () => {
      throw new Error(`no paper, run ${++runs}`)
    })
    expect(await enqueue('--wait', '--attempts', '2')).toEqual({
      code: 5,
      signal: null,
      stdout: '',
      stderr: 'enqueued report 1 on queue default\nerror: report 1 failed: no paper, run 2\n',
    })
  })

  test('--timeout ends the waiting with exit code 7, and not the job', async () => {
    const ended = await enqueue('--wait', '--timeout', '200ms')
    expect(ended).toMatchObject({
      code: 7,
      stdout: '',
      stderr:
        'enqueued report 1 on queue default\n' +
        'error: report 1 has not ended after 200ms\nhint: only the waiting has ended: the job goes on\n',
    })
    expect(await new Queue('default', { connection: redis.client() }).getJobCountByTypes('wait')).toBe(1)
  })

  test('a job that is over already, added again by its id, gives its result at once, and says whose it is', async () => {
    work(async () => 'first')
    await enqueue('--wait', '--id', 'once')
    await worker!.close(true)
    expect(await enqueue('--wait', '--id', 'once')).toMatchObject({
      code: 0,
      stdout: '"first"\n',
      stderr:
        'report once is on queue default already: nothing was added; what follows is of that earlier job\n',
    })
    expect(JSON.parse((await enqueue('--wait', '--id', 'once', '--json')).stdout)).toMatchObject({
      added: false,
      result: 'first',
    })
  })

  test('a job removed at its end is known by its event', async () => {
    work(async () => 'gone', { removeOnComplete: { count: 0 } })
    dir.write({
      'jobs/fleeting.ts': `import { job } from 'bullmq-runner'
        export default job({ removeOnComplete: true, run() {} })`,
    })
    expect(await runner(['enqueue', 'fleeting', '--wait'], options())).toMatchObject({
      code: 0,
      stdout: '"gone"\n',
    })
  })

  test('goes on after Redis was away', async () => {
    const started = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    work(async () => {
      started.resolve()
      await release.promise
      return 'after all'
    })
    const waiting = enqueue('--wait')
    await started.promise
    await redis.restart()
    release.resolve()
    expect(await waiting).toMatchObject({ code: 0, stdout: '"after all"\n' })
  })
})

describe('--follow without a terminal', () => {
  test('is one JSON event a line, up to the end', async () => {
    work(async job => {
      await job.log('first line')
      await job.updateProgress({ done: 1, total: 2, note: 'half' })
      await job.updateProgress(100)
      await job.updateProgress('by word')
      await job.log('last line')
      return { pages: 3 }
    })
    const { code, stdout, stderr } = await enqueue('--follow')
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'enqueued report 1 on queue default\n' })
    const seen = events(stdout)
    expect(seen.at(-1)).toEqual({ event: 'completed', result: { pages: 3 } })
    expect(seen.filter(event => (event as { event: string }).event === 'progress')).toEqual([
      { event: 'progress', done: 1, total: 2, note: 'half' },
      { event: 'progress', done: 100, total: 100 },
      { event: 'progress', done: 0, note: 'by word' },
    ])
    expect(seen.filter(event => (event as { event: string }).event === 'log')).toEqual([
      { event: 'log', line: 'first line' },
      { event: 'log', line: 'last line' },
    ])
    expect(seen).toContainEqual({ event: 'active', attempt: 1 })
  })

  test('shows every attempt, and the reason of the failure', async () => {
    work(async () => {
      throw new Error('no paper')
    })
    const { code, stdout, stderr } = await enqueue('--follow', '--attempts', '2')
    expect({ code, events: events(stdout), stderr }).toEqual({
      code: 5,
      events: [
        { event: 'active', attempt: 1 },
        { event: 'active', attempt: 2 },
        { event: 'failed', reason: 'no paper' },
      ],
      stderr: 'enqueued report 1 on queue default\nerror: report 1 failed: no paper\n',
    })
  })

  test('Ctrl-C ends the following, and not the job', async () => {
    const release = Promise.withResolvers<void>()
    const completed = once(
      work(async job => {
        await job.updateProgress(1)
        await release.promise
      }),
      'completed',
    )
    const { child, ended } = startRunner(['enqueue', 'report', '--follow'], options())
    for await (const line of createInterface(child.stdout)) if (line.includes('"progress"')) break
    child.kill('SIGINT')
    expect(await ended).toMatchObject({
      code: 130,
      stderr: 'enqueued report 1 on queue default\nno longer followed; report 1 goes on\n',
    })
    release.resolve()
    await completed
  })
})

test('--follow on a terminal is a bar under the lines of the log, and the result', async () => {
  work(async job => {
    await job.log('a line of the log')
    await job.updateProgress({ done: 1, total: 4, note: 'reading' })
    return { pages: 3 }
  })
  const { code, stdout } = await runnerOnTerminal(['enqueue', 'report', '--follow'], options())
  const lines = stripVTControlCharacters(stdout).split(/\r?\n/)
  expect({ code, last: lines.at(-2) }).toEqual({ code: 0, last: '{"pages":3}' })
  expect(lines).toContain('enqueued report 1 on queue default')
  expect(lines.join('\n')).toContain('a line of the log')
  expect(lines.join('\n')).toContain(`${'█'.repeat(6)}${'░'.repeat(18)}   25%  1/4  reading`)
})

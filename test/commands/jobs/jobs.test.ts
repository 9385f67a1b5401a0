/** Jobs listed, looked at and changed from a terminal. No replica is needed for any of it. */
import { FlowProducer, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { JobRow } from '../../../src/inspector/row.ts'
import { project, type Project } from '../../helpers/project.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { runner } from '../../helpers/runner.ts'

let redis: TestRedis
let client: Redis
let mail: Queue
let dir: Project

beforeAll(async () => {
  redis = await startRedis()
  client = redis.client()
  mail = new Queue('mail', { connection: client })
  dir = project({
    'jobs/other.mjs': 'export default () => 1',
    'jobs/send.ts': `
      import { job } from 'bullmq-runner'
      export default job({
        async run({ args, log, progress, checkpoint, step, enqueue, attempt }) {
          log.info('sends ' + args.to)
          progress(1, 2)
          const before = await checkpoint.get()
          await checkpoint.set({ sent: [args.to] })
          const number = await step('number', () => 42)
          const id = await enqueue('other', { to: 'next' })
          if (args.to === 'nobody') throw new Error('no such address')
          return { before, after: await checkpoint.get(), number, again: await step('number', () => 43), id, attempt }
        },
      })`,
  })
})
beforeEach(async () => {
  await client.flushall()
  await client.hset(mail.toKey('meta'), 'opts.maxLenEvents', '10000')
})
afterAll(async () => {
  await mail.close()
  dir[Symbol.dispose]()
  await redis.stop()
})

const jobs = (...words: string[]) => runner(['jobs', ...words, '--redis', redis.url], { cwd: dir.dir })
const rows = async (...words: string[]) =>
  JSON.parse((await jobs('list', ...words, '--json')).stdout) as JobRow[]

/** A failed job, as a worker leaves it, that ended so many milliseconds ago. */
async function fail(
  id: string,
  name: string,
  ago: number,
  fields: Record<string, string> = {},
): Promise<void> {
  const ended = Date.now() - ago
  await client.hset(mail.toKey(id), {
    name,
    data: '{"to":"nobody","password":"hush"}',
    opts: '{"attempts":3}',
    timestamp: ended - 1_000,
    processedOn: ended - 10,
    finishedOn: ended,
    atm: 3,
    ats: 4,
    failedReason: 'boom\nin two lines',
    stacktrace: '["Error: boom\\n    at send (jobs/send.ts:3:1)"]',
    pb: 'web-1',
    ...fields,
  })
  await client.zadd(mail.toKey('failed'), ended, id)
}

it('lists by state, name and age, newest first, as a table, a document and lines', async () => {
  for (const [i, name] of ['send', 'send', 'other'].entries()) await fail(`f${i}`, name, 1_000 * (i + 1))
  await fail('old', 'send', 7_200_000)
  await mail.add('send', {}, { jobId: 'later', delay: 60_000 })
  await mail.add('send', {}, { jobId: 'first', priority: 5 })
  expect((await rows()).map(({ id, state }) => `${state} ${id}`)).toEqual([
    'prioritized first',
    'delayed later',
    ...['f0', 'f1', 'f2', 'old'].map(id => `failed ${id}`),
  ])
  const [row] = await rows('--state', 'failed', '--name', 'send', '--since', '1h', '--limit', '1')
  expect(row).toMatchObject({
    queue: 'mail',
    id: 'f0',
    name: 'send',
    state: 'failed',
    attemptsMade: 3,
    attemptsStarted: 4,
    failedReason: 'boom\nin two lines',
    processedBy: 'web-1',
  })
  const text = await jobs('list', '--queue', 'mail', '--state', 'failed', '--limit', '2')
  expect(text.stdout).toMatch(/^QUEUE +ID +NAME .*\nmail +f0 +send +failed .* boom\nmail +f1 .* boom\n$/)
  expect(text.stderr).toContain('there are more than 2')
  const lines = await jobs('list', '--state', 'failed', '-o', 'jsonl')
  expect(
    lines.stdout
      .trim()
      .split('\n')
      .map(line => (JSON.parse(line) as JobRow).id),
  ).toEqual(['f0', 'f1', 'f2', 'old'])
  expect(await jobs('list', '--queue', 'mial')).toMatchObject({
    code: 6,
    stderr: expect.stringContaining('did you mean mail?') as string,
  })
  expect(await jobs('list', '--state', 'broken')).toMatchObject({ code: 2 })
})

it('shows all of one, with what is redacted hidden, and its log', async () => {
  await fail('f', 'send', 1_000, {
    'runner:checkpoint': '{"sent":2}',
    'runner:step:mail': '1',
    'runner:crashes': '2',
  })
  await client.rpush(`${mail.toKey('f')}:logs`, 'one', 'two')
  const shown = await jobs('show', 'f', '--redact', 'password')
  expect(shown.code).toBe(0)
  for (const part of [
    'send f of queue mail',
    '3 of 3, begun 4 times',
    'web-1',
    '{"sent":2}',
    'took down 2 executors',
    '"to":"nobody"',
    'at send (jobs/send.ts:3:1)',
  ])
    expect(shown.stdout).toContain(part)
  expect(shown.stdout).not.toContain('hush')
  expect(JSON.parse((await jobs('show', 'f', '--json')).stdout)).toMatchObject({
    data: { to: 'nobody', password: 'hush' },
    steps: ['mail'],
    logs: 2,
    crashes: 2,
  })
  expect((await jobs('logs', 'f')).stdout).toBe('one\ntwo\n')
  expect(await jobs('show', 'g')).toMatchObject({ code: 6 })
})

it('shows the flow that a job belongs to', async () => {
  const flows = new FlowProducer({ connection: client })
  await flows.add({
    name: 'report',
    queueName: 'mail',
    opts: { jobId: 'root' },
    children: [{ name: 'page', queueName: 'mail', opts: { jobId: 'leaf' } }],
  })
  const { stdout } = await jobs('show', 'leaf', '--tree')
  expect(stdout).toMatch(/^report root .*waiting-children.*\n.*page leaf .*waiting/)
  await flows.close()
})

it('an id that two queues have is asked about', async () => {
  const other = new Queue('other', { connection: client })
  await mail.add('send', {}, { jobId: 'same' })
  await other.add('send', {}, { jobId: 'same' })
  const both = await jobs('show', 'same')
  expect(both).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is in queues mail, other') as string,
  })
  expect((await jobs('show', 'same', '--queue', 'other')).stdout).toContain('of queue other')
  await other.close()
})

it('retries what failed: by id with all its attempts, by filter once it is confirmed', async () => {
  for (const [i, name] of ['send', 'send', 'other'].entries()) await fail(`f${i}`, name, 1_000)
  expect(await jobs('retry', 'f0')).toMatchObject({ code: 0, stdout: 'mail f0: retried\n' })
  expect(await mail.getJob('f0')).toMatchObject({ attemptsMade: 0 })
  expect(await jobs('retry', 'f0')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('job f0 of queue mail is waiting') as string,
  })
  expect(await jobs('retry', '--name', 'send')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--yes does it, --dry-run says how many there are') as string,
  })
  const dry = await jobs('retry', '--name', 'send', '--dry-run', '--json')
  expect(JSON.parse(dry.stdout)).toEqual({ matching: 1, sample: ['mail f1'] })
  expect((await jobs('retry', '--name', 'send', '--yes')).stdout).toBe('1 retried\n')
  expect(await mail.getJobCounts('failed', 'wait')).toEqual({ failed: 1, wait: 2 })
  const some = await jobs('retry', 'f2', 'f1', 'nope', '--json')
  expect(some.code).toBe(3)
  expect(JSON.parse(some.stdout)).toMatchObject([
    { id: 'f2', done: true },
    { id: 'f1', done: false },
    { id: 'nope', done: false, error: 'no queue has a job nope' },
  ])
  expect(await jobs('retry')).toMatchObject({ code: 2 })
  await fail('crashed', 'send', 1_000)
  await client.hset('bull:runner:quarantine', 'mail:crashed', '{}')
  expect(await jobs('retry', 'crashed')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('runner jobs release crashed') as string,
  })
  expect(await jobs('retry', 'f2', '--name', 'x')).toMatchObject({ code: 2 })
})

it('promotes what is delayed, and removes what does not run', async () => {
  await mail.add('send', {}, { jobId: 'later', delay: 600_000 })
  expect((await jobs('promote', 'later')).stdout).toBe('mail later: promoted\n')
  expect(await mail.getJobState('later')).toBe('waiting')
  expect((await jobs('remove', 'later')).code).toBe(0)
  expect(await mail.getJob('later')).toBeUndefined()
  await fail('f', 'send', 1_000)
  expect(await jobs('remove', '--queue', 'mail')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--state') as string,
  })
  await jobs('remove', '--queue', 'mail', '--state', 'failed', '--yes')
  expect(await mail.getJobCounts('failed')).toEqual({ failed: 0 })
  await mail.upsertJobScheduler('hourly', { every: 3_600_000 })
  const [next] = await mail.getWaiting()
  expect(await jobs('remove', next?.id as string)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('runner schedules remove') as string,
  })
  expect(await mail.getWaitingCount()).toBe(1)
})

it('replays a payload here, its writes captured, its queue as it was', async () => {
  await fail('f', 'send', 1_000, { data: '{"to":"ada"}', 'runner:checkpoint': '{"sent":[]}' })
  await fail('g', 'send', 1_000)
  const keys = async () =>
    Object.fromEntries(
      await Promise.all(
        (await client.keys('*')).sort().map(async key => [key, await client.dumpBuffer(key)] as const),
      ),
    )
  const was = await keys()
  expect(await jobs('replay', 'f')).toMatchObject({ code: 2 })
  const done = await jobs('replay', 'f', '--local', '--json')
  expect(done.code).toBe(0)
  const { outcome, result, captured } = JSON.parse(done.stdout) as {
    outcome: string
    result: unknown
    captured: { method: string }[]
  }
  expect({ outcome, result }).toEqual({
    outcome: 'done',
    result: {
      before: { sent: [] },
      after: { sent: ['ada'] },
      number: 42,
      again: 42,
      id: 'captured',
      attempt: 4,
    },
  })
  expect(captured.map(({ method }) => method)).toEqual(
    expect.arrayContaining(['log', 'progress', 'checkpoint.set', 'step.set', 'enqueue']),
  )
  const failed = await jobs('replay', 'g', '--local')
  expect(failed.code).toBe(5)
  expect(failed.stdout).toMatch(/^failed: Error: no such address\n +at .*send\.ts/)
  expect(await keys()).toEqual(was)
})

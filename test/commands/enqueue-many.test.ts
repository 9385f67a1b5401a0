import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startRedis } from '../helpers/redis.ts'
import { runner } from '../helpers/runner.ts'
import { startPeer, type EnqueuePeer } from './enqueue-peer.ts'

let peer: EnqueuePeer
beforeAll(async () => {
  peer = await startPeer()
})
afterAll(() => peer[Symbol.asyncDispose]())
beforeEach(() => peer.redis.flush())

const enqueue = (stdin: string, ...args: string[]) => peer.enqueue(args, stdin)
const jobsOf = (queue: string) => peer.jobsOf(queue)
const keys = () => peer.keys()

describe('NDJSON on stdin', () => {
  test('adds every line, in order, in as many chunks as it takes', async () => {
    const lines = Array.from({ length: 1_201 }, (_, i) => JSON.stringify({ to: `u${i}@b.co`, retries: i }))
    expect(await enqueue(lines.join('\n'), 'send-email', '--data', '-', '--urgent')).toMatchObject({
      code: 0,
      stdout: 'enqueued 1201 jobs send-email on queue mail\n',
    })
    const jobs = await jobsOf('mail')
    const byId = jobs.sort((a, b) => Number(a.id) - Number(b.id))
    expect(byId.map(job => job.data)).toEqual(
      Array.from({ length: 1_201 }, (_, i) => ({ to: `u${i}@b.co`, retries: i, urgent: true })),
    )
    expect(byId[0]!.opts).toMatchObject({ attempts: 5 })
  })

  test('reports bad lines by number and reason, adds the good ones, and ends with exit code 3', async () => {
    const lines = ['{"to":"a@b.co"}', 'nonsense', '', '{"to":"nobody"}', '{"to":"c@b.co"}', '[1]']
    const ended = await enqueue(lines.join('\n'), 'send-email', '--data', '-', '--urgent')
    expect({ ...ended, stderr: ended.stderr.replace('noise at import\n', '') }).toEqual({
      code: 3,
      signal: null,
      stdout: 'enqueued 2 jobs send-email on queue mail; 3 lines refused\n',
      stderr: [
        'line 2: not JSON: Unexpected token \'o\', "nonsense" is not valid JSON, got "nonsense"',
        'line 4: the payload of send-email is refused',
        '  to: got "nobody", Invalid email address',
        'line 6: flags set fields of an object, but --data is [1]',
        '',
      ].join('\n'),
    })
    expect((await jobsOf('mail')).map(job => (job.data as { to: string }).to).sort()).toEqual([
      'a@b.co',
      'c@b.co',
    ])
  })

  test('as JSON, one refusal a line on stderr', async () => {
    const ended = await enqueue('{"to":"a@b.co"}\n{}', 'send-email', '--data', '-', '--json')
    expect({ code: ended.code, out: JSON.parse(ended.stdout) as unknown }).toEqual({
      code: 3,
      out: { name: 'send-email', queue: 'mail', enqueued: 1, refused: 1 },
    })
    expect(JSON.parse(ended.stderr.replace('noise at import\n', ''))).toMatchObject({
      line: 2,
      error: { details: [{ path: 'to', rule: 'expected string' }] },
    })
  })

  test('ends with exit code 2 when no line was good, without connecting', async () => {
    expect(await enqueue('{}\n{}', 'send-email', '--data', '-')).toMatchObject({ code: 2 })
    expect(await keys()).toEqual([])
  })

  test('one document, over however many lines, is one job', async () => {
    await enqueue('{\n  "to": "a@b.co"\n}\n', 'send-email', '--data', '-')
    expect(await jobsOf('mail')).toMatchObject([{ data: { to: 'a@b.co' } }])
  })

  test.each(['--wait', '--follow', '--id=x', '--dedupe=x'])('refuses %s', async flag => {
    const ended = await enqueue('{}\n{}', 'plain', '--data', '-', flag)
    expect(ended).toMatchObject({
      code: 2,
      stderr: `error: ${flag.split('=')[0]} is for one job, and --data holds many\n`,
    })
    expect(await keys()).toEqual([])
  })

  test('--dry-run checks all lines and adds none', async () => {
    const ended = await enqueue('{"to":"a@b.co"}\n{}', 'send-email', '--data', '-', '--dry-run')
    expect(ended).toMatchObject({
      code: 3,
      stdout: 'would enqueue 1 job send-email on queue mail; 1 line refused\n',
    })
    expect(await keys()).toEqual([])
  })
})

test('what is wrong with a Redis is said once, and by us', async () => {
  await using redis = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
  const env = { REDIS_URL: redis.url }
  const ended = await runner(['enqueue', 'plain'], { cwd: peer.dir.dir, env })
  expect(ended).toMatchObject({ code: 0, stdout: 'enqueued plain 1 on queue default\n' })
  expect(ended.stderr).toMatch(/^warning: Redis at \S+ has maxmemory-policy allkeys-lru: [^\n]+\n$/)
})

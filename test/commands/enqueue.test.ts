import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runner } from '../helpers/runner.ts'
import { startPeer, type EnqueuePeer } from './enqueue-peer.ts'

let peer: EnqueuePeer
beforeAll(async () => {
  peer = await startPeer()
})
afterAll(() => peer[Symbol.asyncDispose]())
beforeEach(() => peer.redis.flush())

const enqueue = (...args: string[]) => peer.enqueue(args)
const jobsOf = (queue: string) => peer.jobsOf(queue)
const keys = () => peer.keys()

describe('one job', () => {
  test('is added with the input as given and the options of its file; what the file prints is not data', async () => {
    expect(await enqueue('send-email', '--to', 'ada@example.com', '--tag', 'a', '--urgent')).toEqual({
      code: 0,
      signal: null,
      stdout: 'enqueued send-email 1 on queue mail\n',
      stderr: 'noise at import\n',
    })
    expect(await jobsOf('mail')).toEqual([
      {
        id: '1',
        name: 'send-email',
        data: { to: 'ada@example.com', tags: ['a'], urgent: true },
        opts: expect.objectContaining({
          attempts: 5,
          priority: 3,
          backoff: { type: 'fixed', delay: 2000 },
          removeOnComplete: { count: 1000 },
          removeOnFail: false,
        }) as unknown,
      },
    ])
  })

  test('takes options of its own, and prints JSON', async () => {
    const flags = ['--queue', 'other', '--delay', '5m', '--priority', '7', '--attempts', '2', '--id', 'job-1']
    const { code, stdout } = await enqueue('plain', ...flags, '--dedupe', 'nightly', '--n', '1', '--json')
    expect({ code, json: JSON.parse(stdout) as unknown }).toEqual({
      code: 0,
      json: { id: 'job-1', name: 'plain', queue: 'other', added: true },
    })
    expect(await jobsOf('other')).toMatchObject([
      {
        id: 'job-1',
        data: { n: 1 },
        opts: { delay: 300_000, priority: 7, attempts: 2, deduplication: { id: 'nightly' }, jobId: 'job-1' },
      },
    ])
  })

  test('flags override --data, which reaches fields that are flags of ours', async () => {
    const data = JSON.stringify({ to: 'a@b.co', id: 'x', address: { city: 'Rome' } })
    const { code } = await enqueue('send-email', '--data', data, '--address.city', 'Berlin')
    expect(code).toBe(0)
    expect(await jobsOf('mail')).toMatchObject([
      { id: '1', data: { to: 'a@b.co', id: 'x', address: { city: 'Berlin' } } },
    ])
  })

  test('a custom id that is there already is not added again, and that is said', async () => {
    const added = await enqueue('plain', '--id', 'once', '--n', '1')
    expect(added).toMatchObject({ code: 0, stdout: 'enqueued plain once on queue default\n' })
    expect(await enqueue('plain', '--id', 'once', '--n', '2')).toMatchObject({
      code: 0,
      stdout: 'plain once is on queue default already: nothing was added\n',
    })
    const other = await enqueue('reindex', '--id', 'once', '--json')
    expect(JSON.parse(other.stdout)).toEqual({ id: 'once', name: 'plain', queue: 'default', added: false })
    expect(await jobsOf('default')).toMatchObject([{ id: 'once', data: { n: 1 } }])
  })

  test('nor is one with the deduplication id of a job that waits', async () => {
    expect(JSON.parse((await enqueue('plain', '--dedupe', 'd', '--json')).stdout)).toMatchObject({
      id: '1',
      added: true,
    })
    expect((await enqueue('plain', '--dedupe', 'd')).stdout).toBe(
      'plain 1, with deduplication id d, is on queue default already: nothing was added\n',
    )
    expect(JSON.parse((await enqueue('plain', '--dedupe', 'd', '--json')).stdout)).toMatchObject({
      id: '1',
      added: false,
    })
    expect(await jobsOf('default')).toHaveLength(1)
  })

  test('an executable is added without being run', async () => {
    expect(await enqueue('reindex', '--full', '--shard', '3')).toMatchObject({
      code: 0,
      stdout: 'enqueued reindex 1 on queue default\n',
    })
    expect(await jobsOf('default')).toMatchObject([{ name: 'reindex', data: { full: true, shard: 3 } }])
  })

  test('--no-schema adds what is not known here, and imports nothing', async () => {
    expect(await enqueue('elsewhere', '--no-schema', '--a.b', '1', '--queue', 'q')).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(await enqueue('broken', '--no-schema')).toMatchObject({ code: 0, stderr: '' })
    expect(await jobsOf('q')).toMatchObject([{ name: 'elsewhere', data: { a: { b: 1 } } }])
  })

  test('--dry-run says what would be added, and adds nothing', async () => {
    const { code, stdout } = await enqueue(
      'send-email',
      '--to',
      'a@b.co',
      '--delay',
      '1s',
      '--dry-run',
      '--json',
    )
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'send-email',
      queue: 'mail',
      payload: { to: 'a@b.co' },
      options: { attempts: 5, delay: 1000 },
    })
    expect(await keys()).toEqual([])
  })
})

describe('a refusal leaves nothing in Redis', () => {
  test.each<[string, string[], number, string]>([
    [
      'an unknown job',
      ['send-emial', '--to', 'x'],
      6,
      'error: no job is named "send-emial"\nhint: did you mean send-email? known jobs: broken, plain, reindex, send-email\n',
    ],
    [
      'a wrong payload',
      ['send-email', '--to', 'nobody', '--retries', 'many'],
      2,
      'error: the payload of send-email is refused\n' +
        '  to: got "nobody", Invalid email address\n' +
        '  retries: got "many", expected number\n',
    ],
    [
      'a missing field',
      ['send-email'],
      2,
      'error: the payload of send-email is refused\n  to: got nothing, expected string\n',
    ],
    [
      'an unknown flag',
      ['send-email', '--tto', 'x'],
      2,
      "error: unknown option '--tto'\nhint: did you mean --to?\n",
    ],
    ['a broken file', ['broken'], 2, 'error: jobs/broken.ts:1: no database\n'],
    [
      'a duplicate',
      ['twin'],
      2,
      'error: jobs/twin.ts: the job name twin is also that of scripts/twin.mjs\nhint: rename one; neither is loaded\n',
    ],
    [
      'a forbidden key',
      ['plain', '--data', '{"a":{"__proto__":{"admin":true}}}'],
      2,
      'error: the payload of plain is refused\n  a.__proto__: got a key, this key is refused in payloads\n',
    ],
    [
      'a bad id',
      ['plain', '--id', '42'],
      2,
      'error: --id: got "42", BullMQ takes no whole number as an id, those are its own\nhint: put a letter before it, as in job-42\n',
    ],
    [
      'an id with a colon',
      ['plain', '--id', 'a:b'],
      2,
      'error: --id: got "a:b", BullMQ takes no ":" in an id\nhint: write another sign, as in a-b\n',
    ],
    [
      'a priority out of range',
      ['plain', '--priority', '-1'],
      2,
      'error: --priority: got -1, expected a whole number 0 to 2097151\n',
    ],
    [
      'a bad delay',
      ['plain', '--delay', 'soon'],
      2,
      'error: --delay: expected a duration such as 250ms, 30s, 5m, 2h or 1d, got "soon"\n',
    ],
    [
      'a bad number',
      ['plain', '--priority', 'high'],
      2,
      'error: --priority: got "high", expected a whole number\n',
    ],
    [
      'a bad queue',
      ['plain', '--queue', 'a:b'],
      2,
      'error: --queue: got "a:b", a queue name is not empty and has no ":"\n',
    ],
    [
      '--timeout alone',
      ['plain', '--timeout', '1s'],
      2,
      'error: --timeout goes with --wait or --follow\nhint: how long a job may run is said in its file, as timeout\n',
    ],
    [
      'no name',
      ['--to', 'x'],
      2,
      'error: enqueue needs the name of a job\nhint: the name comes first: runner enqueue <job> --field value\n',
    ],
  ])('%s', async (_, args, code, stderr) => {
    const ended = await enqueue(...args)
    expect({ ...ended, stderr: ended.stderr.replace('noise at import\n', '') }).toEqual({
      code,
      signal: null,
      stdout: '',
      stderr,
    })
    expect(await keys()).toEqual([])
  })

  test('which shows no value of a redacted field', async () => {
    const refused = await enqueue('send-email', '--to', 'hunter2', '--redact', 'to', '--json')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('to: got \\"[Redacted]\\", Invalid email address')
    const broken = await enqueue('plain', '--data', '{"to": hunter2}', '--redact', 'to')
    expect(broken).toMatchObject({
      code: 2,
      stderr: 'error: --data is not JSON: it is not shown, since it may hold a redacted field\n',
    })
    expect(refused.stderr + broken.stderr).not.toContain('hunter2')
  })

  test('as JSON with --json', async () => {
    const { code, stdout, stderr } = await enqueue('send-email', '--to', 'nobody', '--json')
    expect({ code, stdout, error: JSON.parse(stderr.replace('noise at import\n', '')) as unknown }).toEqual({
      code: 2,
      stdout: '',
      error: {
        error: {
          code: 'ARGS_INVALID',
          message: 'the payload of send-email is refused\n  to: got "nobody", Invalid email address',
          hint: null,
          details: [{ path: 'to', value: '"nobody"', rule: 'Invalid email address' }],
        },
      },
    })
  })

  test('Redis that is not there ends with exit code 4', async () => {
    const ended = await runner(['enqueue', 'plain'], {
      cwd: peer.dir.dir,
      env: { REDIS_URL: 'redis://127.0.0.1:1' },
    })
    expect(ended).toMatchObject({ code: 4, stdout: '' })
    expect(ended.stderr).toMatch(/^error: .*127\.0\.0\.1:1/)
  })
})

test('help of a job shows the flags of its payload', async () => {
  const { code, stdout } = await enqueue('send-email', '--help')
  expect(code).toBe(0)
  const section = stdout.slice(
    stdout.indexOf('Payload of send-email:'),
    stdout.indexOf('\n\nGlobal options:'),
  )
  expect(section.replaceAll(/ {2,}/g, '  ').split('\n')).toEqual([
    'Payload of send-email:',
    '  --to <email>  who gets it (required)',
    '  --retries <n>  (default: 2)',
    '  --tags <text...>  (default: [])',
    '  --urgent  (default: false, --no-urgent for false)',
    '  --address <json>',
    '  --address.city <text>',
  ])
  expect(stdout).toContain('Only by --data, since the command has flags of that name: id\n')
  expect(stdout).toContain('Sends one mail')
})

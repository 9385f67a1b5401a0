/** Loading goes through the thread that commands use: there Node imports the files as it does for a user. */
import { describe, expect, test } from 'vitest'
import { discover } from '../../src/job/discover.ts'
import { inspectJobs, openLoader } from '../../src/job/loader.ts'
import { project } from '../helpers/project.ts'

async function load(files: Record<string, string>, timeout = 5_000) {
  const before = process.cwd()
  using dir = project(files)
  const manifest = await inspectJobs(discover(['jobs', 'scripts'], dir.dir).files, { timeout })
  expect(process.cwd()).toBe(before)
  const broken = manifest.broken.map(({ name, code, message, hint }) => ({
    name,
    code,
    message: message.replaceAll(`${dir.dir}/`, ''),
    ...(hint && { hint }),
  }))
  return { jobs: manifest.jobs.map(entry => without('file', entry)), broken }
}

function without<T extends object>(key: keyof T, value: T) {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
}

const HEAD = `import { job } from 'bullmq-runner'; import { z } from 'zod'\n`

describe('what is accepted', () => {
  test('job(): options as the runtime uses them, with the JSON Schema of the input', async () => {
    const { jobs, broken } = await load({
      'jobs/send.ts': `${HEAD}export default job({
        queue: 'mail', description: 'Sends', attempts: 5, backoff: { type: 'exponential', delay: '1s', jitter: 0.5 },
        timeout: '1.5m', priority: 3, removeOnComplete: { age: 60 }, removeOnFail: true,
        args: z.object({ count: z.string().default('3').transform(Number) }),
        run() {},
      })`,
    })
    expect(broken).toEqual([])
    expect(jobs).toMatchObject([
      {
        name: 'send',
        kind: 'job',
        queue: 'mail',
        description: 'Sends',
        attempts: 5,
        backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
        timeout: 90_000,
        priority: 3,
        removeOnComplete: { age: 60 },
        removeOnFail: true,
        schema: { type: 'object', properties: { count: { type: 'string', default: '3' } } },
      },
    ])
  })

  test('defaults: queue default, nothing else', async () => {
    const { jobs } = await load({ 'jobs/a.ts': `${HEAD}export default job({ run() {} })` })
    expect(jobs).toEqual([{ name: 'a', kind: 'job', queue: 'default' }])
  })

  test('functions in every form a BullMQ processor is written, and executables without running them', async () => {
    const { jobs, broken } = await load({
      'jobs/esm.ts': 'export default async (job: { id: string }) => job.id',
      'jobs/cjs.cjs': 'module.exports = async job => job.id',
      'jobs/cjs-default.cjs': 'module.exports.default = async job => job.id',
      'jobs/twice.mjs': 'export default { default: { default: () => 1 } }',
      'jobs/cts.cts': 'module.exports = async (job: unknown) => job',
      'scripts/x.sh': '#!/bin/sh\nexit 1',
    })
    expect(broken).toEqual([])
    expect(jobs.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'cjs function',
      'cjs-default function',
      'cts function',
      'esm function',
      'twice function',
      'x executable',
    ])
  })

  test('a definition made by another copy of this package', async () => {
    const { jobs } = await load({
      'jobs/a.ts': `export default { [Symbol.for('bullmq-runner.job')]: true, queue: 'q', run() {} }`,
    })
    expect(jobs).toEqual([{ name: 'a', kind: 'job', queue: 'q', queueNamed: true }])
  })
})

describe('JOB_NO_DEFAULT_EXPORT says what was found', () => {
  test.each([
    ['export const run = 1, help = 2', 'it has no default export, only help, run'],
    ['', 'it has no default export, nor any other'],
    ['export default 3', 'its default export is a number, not a job or a function'],
    ['export default class A {}', 'its default export is a class, not a job or a function'],
    ['export default null', 'its default export is null, not a job or a function'],
    [
      'export default { run() {}, queue: 1 }',
      'its default export is an object with run, queue, not a job or a function',
    ],
  ])('%s', async (text, reason) => {
    const { broken } = await load({ 'jobs/a.mjs': text })
    expect(broken).toMatchObject([{ code: 'JOB_NO_DEFAULT_EXPORT', message: `jobs/a.mjs: ${reason}` }])
  })

  test('and how to wrap an object that looks like a job', async () => {
    const { broken } = await load({ 'jobs/a.mjs': 'export default { run() {} }' })
    expect(broken[0]!.hint).toBe("wrap it: export default job({ ... }), with job from 'bullmq-runner'")
  })
})

describe('JOB_IMPORT_FAILED', () => {
  test.each([
    ['throws', `\n\nthrow new Error('no database')`, 'jobs/throws.ts:3: no database'],
    ['syntax', `const a = 1\nconst b = = 2`, 'jobs/syntax.ts:2: '],
    [
      'package',
      `import 'not-installed'`,
      "jobs/package.ts: Cannot find package 'not-installed' imported from ",
    ],
    ['string', `throw 'just text'`, 'jobs/string.ts: just text'],
    ['exit', `process.exit(3)`, 'jobs/exit.ts: ended its thread with exit code 3'],
    [
      'hang',
      `await new Promise(() => {})`,
      'jobs/hang.ts: not loaded after 300ms: its top level awaits something',
    ],
    ['spin', `while (true);`, 'jobs/spin.ts: not loaded after 300ms: its top level blocks the thread'],
  ])('%s', async (name, text, message) => {
    const { broken } = await load({ [`jobs/${name}.ts`]: text }, 300)
    expect(broken).toMatchObject([{ name, code: 'JOB_IMPORT_FAILED' }])
    expect(broken[0]!.message.startsWith(message), broken[0]!.message).toBe(true)
  })

  test('names the way out for syntax that Node does not erase', async () => {
    const { broken } = await load({ 'jobs/a.ts': `\nenum A { B }\nexport default () => A.B` })
    expect(broken).toEqual([
      {
        name: 'a',
        code: 'JOB_IMPORT_FAILED',
        message: 'jobs/a.ts:2: TypeScript enum is not supported in strip-only mode',
        hint: "Node only erases types: use erasable syntax (no enum, no namespace), or NODE_OPTIONS='--import tsx'",
      },
    ])
  })

  test('of one file does not keep the others from loading', async () => {
    const { jobs, broken } = await load({
      'jobs/a.ts': 'export default () => 1',
      'jobs/b.ts': 'process.exit(0)',
      'jobs/c.ts': 'export default () => 1',
      'jobs/d.ts': 'throw 1',
      'jobs/e.ts': 'process.abort',
    })
    expect(jobs.map(job => job.name)).toEqual(['a', 'c'])
    expect(broken.map(({ name, code }) => `${name} ${code}`).sort()).toEqual([
      'b JOB_IMPORT_FAILED',
      'd JOB_IMPORT_FAILED',
      'e JOB_NO_DEFAULT_EXPORT',
    ])
  })
})

describe('JOB_OPTION_INVALID names option, value and rule', () => {
  test.each([
    [`attempts: 0`, 'option attempts: got 0, Too small: expected number to be >=1'],
    [
      `timeout: '5 parsecs'`,
      'option timeout: got "5 parsecs", expected a duration such as 250ms, 30s, 5m, 2h or 1d',
    ],
    [
      `backoff: { type: 'x', delay: 1 }`,
      'option backoff.type: got "x", Invalid option: expected one of "fixed"|"exponential"',
    ],
    [`queue: 'a:b'`, 'option queue: got "a:b", a queue name has no ":"'],
    [`priority: 2097152`, 'option priority: got 2097152, Too big: expected number to be <=2097151'],
    [`args: { a: 1 }`, 'option args: got {"a":1}, expected a zod 4 schema'],
    [`removeOnFail: {}`, 'option removeOnFail: got {}, expected age, count or both'],
    [`run: 1`, 'option run: got 1, expected a function'],
  ])('%s', async (option, message) => {
    const { broken } = await load({ 'jobs/a.mjs': `${HEAD}export default job({ run() {}, ${option} })` })
    expect(broken).toEqual([{ name: 'a', code: 'JOB_OPTION_INVALID', message: `jobs/a.mjs: ${message}` }])
  })

  test('a misspelt one is suggested', async () => {
    const { broken } = await load({ 'jobs/a.mjs': `${HEAD}export default job({ run() {}, atempts: 3 })` })
    expect(broken).toEqual([
      {
        name: 'a',
        code: 'JOB_OPTION_INVALID',
        message: 'jobs/a.mjs: unknown option atempts',
        hint: 'did you mean attempts?',
      },
    ])
  })
})

describe('openLoader', () => {
  const SEND = `${HEAD}export default job({
    args: z.object({ to: z.email(), n: z.string().transform(Number).refine(async n => n < 5, 'too big') }),
    run() {},
  })`

  test('checks payloads by the real schema, in order, as often as asked', async () => {
    using dir = project({ 'jobs/send.ts': SEND })
    const loader = await openLoader(discover(['jobs'], dir.dir).files)
    const verdicts = await loader.check('send', [
      '{"to":"a@b.co","n":"1"}',
      '{"to":"nobody","n":"7"}',
      '{"to":"a@b.co","n":"1","x":{"__proto__":1}}',
    ])
    expect(verdicts[0]).toBeNull()
    expect(verdicts[1]).toEqual({
      message:
        'the payload of send is refused\n  to: got "nobody", Invalid email address\n  n: got "7", too big',
      details: [
        { path: 'to', value: '"nobody"', rule: 'Invalid email address' },
        { path: 'n', value: '"7"', rule: 'too big' },
      ],
    })
    expect(verdicts[2]!.details).toEqual([
      { path: 'x.__proto__', value: 'a key', rule: 'this key is refused in payloads' },
    ])
    expect(await loader.check('send', [])).toEqual([])
    await loader.close()
  })

  test('a file whose timer throws later fails the check that is waiting, and names the file', async () => {
    using dir = project({
      'jobs/late.ts': `${HEAD}export default job({
        args: z.string().refine(() => new Promise(() => setTimeout(() => { throw new Error('late') }))), run() {},
      })`,
    })
    const loader = await openLoader(discover(['jobs'], dir.dir).files)
    await expect(loader.check('late', ['"x"'])).rejects.toMatchObject({
      code: 'JOB_IMPORT_FAILED',
      message: `${dir.path('jobs/late.ts')}: late`,
    })
    await expect(loader.check('late', ['"x"'])).rejects.toMatchObject({ code: 'JOB_IMPORT_FAILED' })
    await loader.close()
    await loader.close()
  })
})

import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config.ts'
import { Tokens } from '../../src/gateway/tokens.ts'
import { discover } from '../../src/job/discover.ts'
import { inspectJobs } from '../../src/job/loader.ts'
import { project, type Project } from '../helpers/project.ts'
import { runner } from '../helpers/runner.ts'

let dir: Project
beforeEach(() => {
  dir = project()
})
afterEach(() => dir[Symbol.dispose]())
const create = (...args: string[]) => runner(['new', ...args], { cwd: dir.dir })

describe('runner new', () => {
  test('makes a job and a script that load as they are', async () => {
    expect(await create('job', 'emails/send')).toEqual({
      code: 0,
      signal: null,
      stdout: 'made jobs/emails/send.ts\nEnqueue it: npx runner enqueue emails/send\n',
      stderr: '',
    })
    const script = await create('script', 'migrate-users', '--json')
    expect(JSON.parse(script.stdout)).toEqual({ name: 'migrate-users', file: 'scripts/migrate-users.ts' })
    const { jobs, broken } = await inspectJobs(discover(['jobs', 'scripts'], dir.dir).files)
    expect(broken).toEqual([])
    expect(jobs.map(({ name, kind }) => `${name} ${kind}`)).toEqual(['emails/send job', 'migrate-users job'])
  })

  test('puts them where the configuration says', async () => {
    dir.write({ 'runner.config.mjs': `export default { jobs: ['src/scripts', 'src/handlers'] }` })
    expect((await create('job', 'a', '--json')).stdout).toContain('"src/scripts/a.ts"')
    expect((await create('script', 'b', '--json')).stdout).toContain('"src/scripts/b.ts"')
  })

  test.each([
    ['job', 'jobs/send.ts'],
    ['job', 'jobs/send.mjs'],
    ['script', 'jobs/send.ts'],
    ['job', 'scripts/send.sh'],
  ])('%s: refuses a name that %s has', async (kind, file) => {
    const text = file.endsWith('.sh') ? '#!/bin/sh\n' : 'mine'
    dir.write({ [file]: text })
    expect(await create(kind, 'send')).toMatchObject({
      code: 2,
      stderr: `error: ${file} exists already\nhint: nothing was written; move or remove what is there\n`,
    })
    expect(readFileSync(dir.path(file), 'utf8')).toBe(text)
  })

  test.each(['a:b', '-a', 'a b', '../a', '/a', 'a//b', '.a', '_a', 'a.ts', 'a.test', 'node_modules/a', ''])(
    'refuses the name %j',
    async name => {
      const ended = await create('job', '--', name)
      expect(ended).toMatchObject({ code: 2, stdout: '' })
      expect(ended.stderr).toContain(`the name ${JSON.stringify(name)} cannot be used: `)
    },
  )

  test('knows jobs and scripts only', async () => {
    expect(await create('cron', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('job, script') as string,
    })
  })

  test('makes a token: shown once, its hash for the config file, and it opens what its scopes say', async () => {
    const { code, stdout, stderr } = await create(
      'token',
      '--name',
      'shop',
      '--scope',
      'enqueue',
      '--scope',
      'read',
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^rnr_[\w-]{43}\n$/)
    expect(stderr).not.toContain(stdout.trim())
    const [, setting = ''] = /tokens: (\[.*\])$/m.exec(stderr) ?? []
    dir.write({ 'runner.config.mjs': `export default { tokens: ${setting} }` })
    const { tokens } = await resolveConfig({ cwd: dir.dir, env: {}, flags: {} })
    const caller = new Tokens(tokens).find(stdout.trim())
    expect(caller).toEqual({ name: 'shop', scopes: new Set(['enqueue', 'read']) })
  })

  test.each([
    [['token', '--scope', 'read'], 'a token needs a name'],
    [['token', 'a b', '--scope', 'read'], '--name: expected letters'],
    [['token', 'shop'], 'say what it may do: --scope enqueue, --scope read, --scope operate'],
    [['token', 'shop', '--scope', 'enqueu'], 'did you mean enqueue?'],
    [['job', 'a', '--scope', 'read'], '--name and --scope are of a token'],
    [['job'], 'new job needs a name'],
  ])('%j: refuses with %s', async (args, said) => {
    const ended = await create(...args)
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain(said)
  })
})

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { Queue } from 'bullmq'
import { describe, expect, test } from 'vitest'
import { discover } from '../../src/job/discover.ts'
import { inspectJobs } from '../../src/job/loader.ts'
import { project } from '../helpers/project.ts'
import { startRedis } from '../helpers/redis.ts'
import { runner } from '../helpers/runner.ts'

const manifestOf = (dir: string) => inspectJobs(discover(['jobs', 'scripts'], dir).files)

describe('runner init', () => {
  test('makes files that load as they are, and says how to go on', async () => {
    using dir = project()
    const ended = await runner(['init'], { cwd: dir.dir })
    expect(ended).toEqual({
      code: 0,
      signal: null,
      stderr: '',
      stdout: [
        'made jobs/hello.ts',
        'made scripts/hello-shell.sh',
        'made runner.config.ts',
        'made .gitignore',
        '',
        'Install what the job imports:   npm install bullmq-runner zod',
        'In package.json:                "scripts": { "work": "runner work" }',
        'Run a worker:                   npx runner work',
        'In another terminal:            npx runner enqueue hello --name Ada --wait',
        '',
      ].join('\n'),
    })
    const { jobs, broken } = await manifestOf(dir.dir)
    expect(broken).toEqual([])
    expect(jobs).toMatchObject([
      { name: 'hello', kind: 'job', attempts: 3, timeout: 30_000 },
      { name: 'hello-shell', kind: 'executable' },
    ])
    expect(statSync(dir.path('scripts/hello-shell.sh')).mode & 0o777).toBe(0o755)
    expect(readFileSync(dir.path('.gitignore'), 'utf8')).toBe('.runner/\n')
    const dryRun = await runner(['enqueue', 'hello', '--name', 'Ada', '--dry-run', '--json'], {
      cwd: dir.dir,
    })
    expect(JSON.parse(dryRun.stdout)).toMatchObject({ name: 'hello', payload: { name: 'Ada' } })
  })

  test('overwrites nothing: names what is there, and writes nothing at all', async () => {
    using dir = project({ 'jobs/hello.ts': 'mine' })
    expect(await runner(['init'], { cwd: dir.dir })).toEqual({
      code: 2,
      signal: null,
      stdout: '',
      stderr:
        'error: jobs/hello.ts exists already\nhint: nothing was written; move or remove what is there\n',
    })
    expect(readFileSync(dir.path('jobs/hello.ts'), 'utf8')).toBe('mine')
    expect(() => statSync(dir.path('runner.config.ts'))).toThrow('ENOENT')
    expect(() => statSync(dir.path('.gitignore'))).toThrow('ENOENT')
  })

  test('takes a folder, adds to a .gitignore that is there, and prints JSON', async () => {
    using dir = project({ 'app/.gitignore': 'dist' })
    writeFileSync(dir.path('app/package.json'), '{"dependencies":{"bullmq-runner":"1","zod":"4"}}')
    const { code, stdout } = await runner(['init', 'app', '--json'], { cwd: dir.dir })
    expect({ code, json: JSON.parse(stdout) as unknown }).toEqual({
      code: 0,
      json: {
        dir: dir.path('app'),
        made: ['jobs/hello.mts', 'scripts/hello-shell.sh', 'runner.config.mts', '.gitignore'],
      },
    })
    expect(readFileSync(dir.path('app/.gitignore'), 'utf8')).toBe('dist\n.runner/\n')
  })
})

test('for a folder of a project it prints steps that work, and asks for nothing that the project has', async () => {
  using dir = project({ 'package.json': '{"type":"module","dependencies":{"bullmq-runner":"1"}}' })
  const { stdout } = await runner(['init', 'services/mailer'], { cwd: dir.dir })
  expect(stdout.split('\n').slice(5)).toEqual([
    'Go there:                       cd services/mailer',
    'Install what the job imports:   npm install zod',
    'Run a worker:                   npx runner work',
    'In another terminal:            npx runner enqueue hello --name Ada --wait',
    '',
  ])
})

test('what init and new make is run by a worker as it is', async () => {
  await using redis = await startRedis()
  using dir = project()
  const run = async (...args: string[]) => {
    const ended = await runner(args, { cwd: dir.dir, env: { REDIS_URL: redis.url } })
    expect(ended.code, `${args.join(' ')}: ${ended.stderr}`).toBe(0)
  }
  await run('init')
  await run('new', 'job', 'emails/send')
  await run('new', 'script', 'tidy')
  await run('enqueue', 'hello', '--name', 'Ada')
  await run('enqueue', 'hello-shell', '--name', 'Ada')
  await run('enqueue', 'emails/send')
  await run('enqueue', 'tidy', '--count', '3')
  await run('work', '--drain')
  const jobs = await new Queue('default', { connection: redis.client() }).getCompleted()
  const results = Object.fromEntries(jobs.map(job => [job.name, job.returnvalue as unknown]))
  expect(results).toEqual({
    hello: { greeted: 'Ada' },
    'hello-shell': null,
    'emails/send': null,
    tidy: { done: 3 },
  })
})

test.each(['{"type":"commonjs"}', '{}'])(
  'where package.json does not say "type": "module", its files are .mts and run: %s',
  async packageJson => {
    using dir = project({ 'package.json': packageJson })
    const made = await runner(['init', '--json'], { cwd: dir.dir })
    expect(JSON.parse(made.stdout)).toMatchObject({
      made: expect.arrayContaining(['jobs/hello.mts', 'runner.config.mts']),
    })
    await runner(['new', 'job', 'other'], { cwd: dir.dir })
    for (const job of ['hello', 'other']) {
      const planned = await runner(['enqueue', job, '--dry-run', '--json'], { cwd: dir.dir })
      expect(planned, planned.stderr).toMatchObject({ code: 0 })
    }
  },
)

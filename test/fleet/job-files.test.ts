/** Files that do not load, files that change: `work` refuses, goes on without, or loads anew. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bench, untilState } from '../helpers/fleet.ts'
import { project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const version = (value: number, body = '') =>
  `export const queue = 'x'\nexport default async ctx => { ${body}; return ${value} }\n`

const BROKEN = {
  'jobs/fine.js': version(1),
  'jobs/throws.js': `throw new Error('no database')`,
  'jobs/nothing.js': `export const a = 1`,
  'jobs/wrong.js': `import { job } from 'bullmq-runner'\nexport default job({ atempts: 3, run() {} })`,
  'jobs/twice.js': version(1),
  'jobs/twice.mjs': version(2),
}

it('refuses to start with broken files, and lists each with its reason', async () => {
  await redis.flush()
  using dir = project(BROKEN)
  await using replica = new Replica({ redis, cwd: dir.dir, jobs: 'jobs' })
  const { code, stderr, stdout } = await replica.ended
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/5 job file\(s\) cannot be loaded/)
  expect(stderr).toMatch(/^ {2}JOB_IMPORT_FAILED jobs\/throws\.js:1: no database$/m)
  expect(stderr).toMatch(/^ {2}JOB_NO_DEFAULT_EXPORT jobs\/nothing\.js: .*only a/m)
  expect(stderr).toMatch(/^ {2}JOB_OPTION_INVALID jobs\/wrong\.js: .*atempts/m)
  expect(stderr).toMatch(/^ {2}JOB_DUPLICATE jobs\/twice\.js: the job name twice/m)
  expect(stderr).toMatch(/^ {2}JOB_DUPLICATE jobs\/twice\.mjs: the job name twice/m)
  expect(stderr).toContain('--allow-broken')
  expect(await redis.client().keys('*'), 'nothing in Redis').toEqual([])
})

it('starts without them by --allow-broken, and runs the others', async () => {
  await using b = await bench(redis, 'default')
  using dir = project(BROKEN)
  await using replica = await Replica.start({ redis, cwd: dir.dir, jobs: 'jobs', args: ['--allow-broken'] })
  expect(replica.events('job.file-broken').map(({ code }) => code)).toContain('JOB_IMPORT_FAILED')
  const { id } = await b.queue.add('fine', {})
  expect(await untilState(b.queue, id)).toMatchObject({ state: 'completed', returnvalue: 1 })
})

const EXITS = {
  'jobs/fine.js': version(1),
  'jobs/exits.js': `process.exit(3)`,
  'jobs/throws.js': `throw new Error('no database')`,
}

it('refuses to start when a file ends its executor while it is imported, and lists it with the others', async () => {
  using dir = project(EXITS)
  await using replica = new Replica({ redis, cwd: dir.dir, jobs: 'jobs', args: ['--drain'] })
  const { code, stderr } = await replica.ended
  expect(code).toBe(2)
  expect(stderr).toMatch(/2 job file\(s\) cannot be loaded/)
  expect(stderr).toMatch(/^ {2}JOB_IMPORT_FAILED jobs\/exits\.js: called process\.exit\(3\)$/m)
  expect(stderr).toMatch(/^ {2}JOB_IMPORT_FAILED jobs\/throws\.js:1: no database$/m)
})

it('starts without such a file by --allow-broken, and runs the others', async () => {
  await using b = await bench(redis, 'default')
  using dir = project(EXITS)
  const { id } = await b.queue.add('fine', {})
  const args = ['--allow-broken', '--drain']
  await using replica = new Replica({ redis, cwd: dir.dir, jobs: 'jobs', args })
  expect((await replica.ended).code).toBe(0)
  expect(replica.events('job.file-broken').map(({ file }) => file)).toEqual([
    dir.path('jobs/exits.js'),
    dir.path('jobs/throws.js'),
  ])
  expect(await untilState(b.queue, id)).toMatchObject({ state: 'completed', returnvalue: 1 })
})

it('--watch: a changed file is run anew, while a run of the old version ends in peace', async () => {
  await using b = await bench(redis, 'default')
  const old = version(1, 'await new Promise(done => setTimeout(done, ctx.args.ms ?? 0))')
  using dir = project({ 'jobs/changing.js': old, 'jobs/_helper.txt': '' })
  await using replica = await Replica.start({ redis, cwd: dir.dir, jobs: 'jobs', args: ['--watch'] })
  const running = await b.queue.add('changing', { ms: 3_000 })
  await untilState(b.queue, running.id, 'active')
  dir.write({ 'jobs/changing.js': version(2), 'jobs/added.js': version(3) })
  expect(await replica.event('fleet.reloaded')).toMatchObject({ jobs: 2, broken: 0 })
  const next = await b.queue.add('changing', {})
  const added = await b.queue.add('added', {})
  expect(await untilState(b.queue, next.id)).toMatchObject({ state: 'completed', returnvalue: 2 })
  expect(await untilState(b.queue, added.id)).toMatchObject({ state: 'completed', returnvalue: 3 })
  expect(await untilState(b.queue, running.id)).toMatchObject({ returnvalue: 1, attemptsStarted: 1 })

  // A change that does not load is reported, and the other jobs go on.
  dir.write({ 'jobs/added.js': 'export default {' })
  await replica.event('job.file-broken', { code: 'JOB_IMPORT_FAILED' })
  await replica.event('fleet.reloaded', { broken: 1 })
  const after = await b.queue.add('changing', {})
  expect(await untilState(b.queue, after.id)).toMatchObject({ state: 'completed', returnvalue: 2 })
  replica.kill('SIGTERM')
  expect((await replica.ended).code).toBe(0)
})

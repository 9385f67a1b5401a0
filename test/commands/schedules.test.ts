/** `runner schedules` as a user calls it, on one Redis; what `check`, `work` and `dev` say of schedules. */
import { Queue } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Schedulers } from '../../src/schedule/schedulers.ts'
import { untilState } from '../helpers/fleet.ts'
import { project, type Project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner, startRunner, type Ended } from '../helpers/runner.ts'
import { declaration } from '../schedule/declaration.ts'

const job = (name: string, options: string) => ({
  [`jobs/${name}.ts`]: `
    import { job } from 'bullmq-runner'
    import { z } from 'zod'
    export default job({ ${options} })`,
})
const REPORT = job(
  'report',
  `args: z.object({ kind: z.enum(['full', 'short']).default('short').transform(kind => kind.toUpperCase()) }),
   attempts: 3, backoff: '50ms', queue: 'reports',
   schedule: [
     { key: 'nightly', cron: '0 3 * * *', timezone: 'Europe/Berlin', args: { kind: 'full' } },
     { key: 'often', every: '5m' },
   ],
   run({ args, attempt }) {
     if (attempt < 2) throw new Error('once more')
     return { kind: args.kind, attempt }
   }`,
)
const SWEEP = job('sweep', `schedule: '@hourly', run() {}`)

// Most of it is the start of one process after the other.
vi.setConfig({ testTimeout: 60_000 })

let redis: TestRedis
let dir: Project
beforeAll(async () => void (redis = await startRedis()))
beforeEach(async () => {
  await redis.flush()
  dir = project({ ...REPORT, ...SWEEP, 'package.json': '{"type":"module","name":"shop"}' })
})
afterEach(() => dir[Symbol.dispose]())
afterAll(() => redis.stop())

const run = (...args: string[]): Promise<Ended> => runner([...args, '--redis', redis.url], { cwd: dir.dir })
const schedules = (...args: string[]) => run('schedules', ...args)
const json = async (...args: string[]) =>
  JSON.parse((await schedules(...args, '--json')).stdout) as Record<string, unknown>[]

const queue = (name: string) => new Queue(name, { connection: redis.client() })

const DAY = String.raw`\d{4}-\d\d-\d\dT\d\d:00:00\.000Z`

it('plans, applies, and then there is nothing to do; --prune removes what no file declares any more', async () => {
  expect(await schedules('plan', '--check')).toMatchObject({
    code: 1,
    stdout: `        SCHEDULE        QUEUE
create  report:nightly  reports  0 3 * * * Europe/Berlin {"kind":"full"}, jobs/report.ts
create  report:often    reports  every 5m, jobs/report.ts
create  sweep           default  @hourly UTC, jobs/sweep.ts
3 to create, 0 to change, 0 as declared
`,
  })
  expect(await schedules('apply')).toMatchObject({
    code: 0,
    stdout:
      'created report:nightly on queue reports\ncreated report:often on queue reports\ncreated sweep on queue default\n',
  })
  const again = await schedules('plan', '--check', '--json')
  expect((JSON.parse(again.stdout) as { action: string }[]).map(({ action }) => action)).toEqual([
    'keep',
    'keep',
    'keep',
  ])
  expect(again.code).toBe(0)

  dir.write({
    ...job('report', `queue: 'reports', schedule: { key: 'nightly', cron: '0 4 * * *' }, run() {}`),
  })
  const rest = { queue: 'reports', job: 'report' }
  expect(await json('apply', '--prune', '--dry-run')).toEqual([
    {
      action: 'change',
      id: 'report:nightly',
      ...rest,
      from: 'jobs/report.ts',
      differs: [
        { what: 'cron', from: '0 3 * * *', to: '0 4 * * *' },
        { what: 'timezone', from: 'Europe/Berlin', to: 'UTC' },
        { what: 'args', from: '{"kind":"full"}', to: '{}' },
        { what: 'attempts', from: '3', to: 'nothing' },
        { what: 'backoff', from: '{"delay":50,"type":"fixed"}', to: 'nothing' },
      ],
    },
    { action: 'keep', id: 'sweep', queue: 'default', job: 'sweep', from: 'jobs/sweep.ts' },
    { action: 'orphan', id: 'report:often', ...rest },
  ])
  expect(await schedules('apply')).toMatchObject({
    code: 0,
    stdout: 'changed report:nightly on queue reports\n1 as declared\n',
    stderr: 'no file declares report:often any more: --prune removes them\n',
  })
  const ofReports = async () => (await queue('reports').getJobSchedulers()).map(({ key }) => key).sort()
  expect(await ofReports()).toEqual(['report:nightly', 'report:often'])
  // Made by another project on the same Redis, and by hand: not ours, so none of it goes.
  await new Schedulers(redis.client(), 'bull').upsert(declaration({ job: 'theirs' }), 'billing')
  await queue('default').upsertJobScheduler('by-hand', { every: 3_600_000 }, { name: 'x' })
  expect(await schedules('apply', '--prune')).toMatchObject({
    code: 0,
    stdout: 'removed report:often on queue reports\n2 as declared\n',
  })
  expect(await ofReports()).toEqual(['report:nightly'])
  expect(await queue('default').getJobSchedulersCount()).toBe(3)
})

it('lists what anybody made, with the next runs, and marks what is overdue', async () => {
  await new Schedulers(redis.client(), 'bull').upsert(declaration({ job: 'sweep', cron: '@hourly' }), 'shop')
  const theirs = queue('theirs')
  await theirs.upsertJobScheduler('tick', { every: 3_600_000 }, { name: 'tock', data: { password: 'x' } })
  await theirs.pause()
  // Nobody has taken its job since 1970.
  const client = redis.client()
  const [first] = await client.keys('bull:theirs:repeat:tick:*')
  const id = 'repeat:tick:1000'
  await client.rename(first!, `bull:theirs:${id}`)
  for (const list of ['wait', 'paused'])
    if ((await client.lrem(`bull:theirs:${list}`, 1, first!.slice('bull:theirs:'.length))) === 1)
      await client.lpush(`bull:theirs:${list}`, id)
  await client.zadd('bull:theirs:repeat', 1_000, 'tick')

  const [{ code, stdout }, [sweep, tick], wrong] = await Promise.all([
    schedules('list', '--next', '2'),
    json('list', '--redact', 'password'),
    schedules('list', '--next', 'some'),
  ])
  expect([code, wrong.code]).toEqual([0, 2])
  expect(stdout).toMatch(/^SCHEDULE +JOB +QUEUE +WHEN +TIMEZONE +BY +JOBS +NEXT$/m)
  expect(stdout).toMatch(new RegExp(`^sweep +sweep +default +@hourly +UTC +shop +1 +${DAY}\n +${DAY}$`, 'm'))
  expect(stdout).toMatch(
    /^tick +tock +theirs +every 1h +1 +1970-01-01T00:00:01\.000Z +overdue by [\d.]+d: queue theirs is paused\n +1970-01-01T01:00:01/m,
  )
  expect(sweep).toMatchObject({ id: 'sweep', owner: 'shop', overdue: null, next: [expect.any(String)] })
  expect(tick).toMatchObject({ job: 'tock', every: 3_600_000, made: 1, args: { password: '[Redacted]' } })
  expect(tick).not.toHaveProperty('owner')
})

it('a replica runs the jobs of a schedule, with its args and its attempts; run adds one more; remove ends it', async () => {
  await schedules('apply')
  await using _ = await Replica.start({
    redis,
    jobs: dir.path('jobs'),
    cwd: dir.dir,
    args: ['--queue', 'reports'],
  })
  const reports = queue('reports')
  await expect.poll(() => reports.getCompleted()).toHaveLength(1)
  const [ofInterval] = await reports.getCompleted()
  // Its first attempt has failed.
  expect(ofInterval).toMatchObject({
    name: 'report',
    repeatJobKey: 'report:often',
    data: {},
    opts: { attempts: 3 },
  })
  expect(await untilState(reports, ofInterval?.id)).toMatchObject({
    returnvalue: { kind: 'SHORT', attempt: 2 },
  })

  const { id } = (await json('run', 'report:nightly')) as unknown as { id: string }
  expect(await untilState(reports, id)).toMatchObject({ returnvalue: { kind: 'FULL', attempt: 2 } })
  expect(await schedules('remove', 'report:often')).toMatchObject({
    code: 0,
    stdout: 'removed report:often from queue reports\n',
    stderr: 'if a file declares it, the next apply makes it again\n',
  })
  expect(await schedules('remove', 'report:nigthly')).toMatchObject({
    code: 6,
    stderr: 'error: no schedule "report:nigthly"\nhint: did you mean report:nightly?\n',
  })
  expect(await reports.getJobs(['delayed'])).toMatchObject([{ repeatJobKey: 'report:nightly' }])
})

it('run takes one from the files that is not in Redis yet; of several queues one is to be named', async () => {
  const { code, stdout, stderr } = await schedules('run', 'sweep')
  expect([code, stdout]).toEqual([0, 'enqueued sweep 1 on queue default\n'])
  expect(stderr).toBe('sweep is declared, but not in Redis yet: runner schedules apply puts it there\n')
  for (const name of ['a', 'b'])
    await queue(name).upsertJobScheduler('x', { every: 3_600_000 }, { name: 'x' })
  expect(await schedules('remove', 'x')).toMatchObject({
    code: 2,
    stderr: 'error: schedule x is in queues a, b\nhint: say which one by --queue\n',
  })
  expect((await schedules('run', 'x', '--queue', 'a')).stdout).toBe('enqueued x 2 on queue a\n')
  expect((await schedules('remove', 'x', '--queue', 'b')).stdout).toBe('removed x from queue b\n')
})

describe('what is wrong is said before anything is changed', () => {
  it('by apply and check: args that the schema refuses, and faults of the config file', async () => {
    dir.write({
      ...job(
        'report',
        `args: z.object({ to: z.email() }), schedule: { every: '5m', args: { to: 'me' } }, run() {}`,
      ),
      'runner.config.ts': `export default { schedules: { a: { job: 'swep', cron: '@daily' } } }`,
    })
    const refused =
      'schedule report of jobs/report.ts: the payload of report is refused\n  to: got "me", Invalid email address'
    const unknown = 'schedules.a in the config file: no job is named "swep"'
    const [apply, check] = await Promise.all([schedules('apply'), runner(['check'], { cwd: dir.dir })])
    expect(apply.stderr).toBe(`error: ${unknown}\n${refused}\nhint: did you mean sweep?\n`)
    expect(apply.code).toBe(2)
    expect(await queue('default').getJobSchedulersCount()).toBe(0)
    expect(check.stdout).toContain(`error: ${unknown} (CONFIG_INVALID)\nerror: ${refused} (ARGS_INVALID)\n`)
    expect(check.code).toBe(2)
  })

  it('by apply: a file that does not load, and a folder without any, would look like nothing declared', async () => {
    await new Schedulers(redis.client(), 'bull').upsert(declaration({ job: 'sweep' }), 'shop')
    dir.write(job('sweep', `schedule: '0 25 * * *', run() {}`))
    using empty = project({ 'package.json': '{"name":"shop"}' })
    const [broken, nothing] = await Promise.all([
      schedules('apply', '--prune'),
      runner(['schedules', 'apply', '--prune', '--redis', redis.url], { cwd: empty.dir }),
    ])
    expect(broken.code).toBe(2)
    expect(broken.stderr).toMatch(
      /^error: 1 job file\(s\) cannot be loaded:\n {2}JOB_OPTION_INVALID jobs\/sweep\.ts: option schedule: got "0 25 \* \* \*", not a cron pattern/,
    )
    expect(nothing).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: no job file in jobs or scripts\n/),
    })
    expect(await queue('default').getJobSchedulersCount()).toBe(1)
  })
})

describe('at start', () => {
  it('work says which schedules Redis does not have as declared, and works queues that only they name', async () => {
    dir.write({
      'runner.config.ts': `export default { schedules: { x: { job: 'sweep', every: '1h', queue: 'slow' } } }`,
    })
    await queue('default').upsertJobScheduler('sweep', { pattern: '@daily' }, { name: 'sweep' })
    await using replica = await Replica.start({ redis, jobs: dir.path('jobs'), cwd: dir.dir })
    const isSaid = () => replica.lines.some(({ msg }) => msg?.startsWith('schedules: ') === true)
    await replica.until(isSaid, 'a word about schedules')
    expect(replica.lines.filter(({ msg }) => msg?.startsWith('schedules: '))).toMatchObject([
      {
        level: 40,
        msg: 'schedules: Redis does not have report:nightly, report:often, sweep:x; Redis has otherwise than declared sweep; run `runner schedules apply`',
      },
    ])
    expect(await replica.event('fleet.started')).toMatchObject({
      queues: { default: 10, reports: 10, slow: 10 },
    })
  })

  it('dev applies them, and again when a file is changed', async () => {
    const { child, ended } = startRunner(['dev', '--redis', redis.url, '--max-time', '1m'], { cwd: dir.dir })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await expect
      .poll(() => said)
      .toContain('"msg":"schedules: created report:nightly, created report:often, created sweep"')
    dir.write(job('sweep', `schedule: '@daily', run() {}`))
    await expect.poll(() => said).toContain('"msg":"schedules: changed sweep"')
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
  })
})

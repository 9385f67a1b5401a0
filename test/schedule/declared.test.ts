/** From job files and the config file to what is declared. */
import { expect, test } from 'vitest'
import type { ConfigFile } from '../../src/config.ts'
import { resolveConfig } from '../../src/config.ts'
import type { JobEntry } from '../../src/job/manifest.ts'
import { argsFaults, declaredSchedules } from '../../src/schedule/declared.ts'
import { declaration } from './declaration.ts'
import { project } from '../helpers/project.ts'

const entry = (name: string, more: Partial<JobEntry> = {}): JobEntry => ({
  name,
  file: `${process.cwd()}/jobs/${name}.ts`,
  kind: 'job',
  queue: 'default',
  ...more,
})

async function declare(jobs: JobEntry[], schedules: ConfigFile['schedules'] = {}, broken: string[] = []) {
  using dir = project({ 'runner.config.mjs': `export default ${JSON.stringify({ schedules })}` })
  const config = await resolveConfig({ cwd: dir.dir, env: {}, flags: {} })
  const names = broken.map(name => ({
    name,
    file: name,
    code: 'JOB_IMPORT_FAILED' as const,
    message: 'broken',
  }))
  const { declared, faults } = declaredSchedules(config, { jobs, broken: names })
  const said = faults.map(({ code, message, hint }) =>
    [code, message, hint].flatMap(one => one ?? []).join(' | '),
  )
  return { declared, said }
}

test('the id is the job with the key; jobs get the options of their file; UTC unless said otherwise', async () => {
  const report = entry('report', {
    queue: 'mail',
    attempts: 4,
    removeOnFail: true,
    schedule: [{ cron: '0 3 * * *' }],
  })
  const { declared, said } = await declare([report, entry('sweep')], {
    often: { job: 'sweep', every: '5m', args: { all: true }, queue: 'slow' },
    berlin: { job: 'report', cron: '@daily', timezone: 'Europe/Berlin' },
  })
  expect(said).toEqual([])
  const options = { attempts: 4, removeOnComplete: { count: 1000 }, removeOnFail: true }
  const ofReport = { job: 'report', queue: 'mail', args: {}, options }
  expect(declared).toEqual([
    { id: 'report', ...ofReport, cron: '0 3 * * *', timezone: 'UTC', from: 'jobs/report.ts' },
    {
      id: 'report:berlin',
      ...ofReport,
      cron: '@daily',
      timezone: 'Europe/Berlin',
      from: 'schedules.berlin in the config file',
    },
    {
      id: 'sweep:often',
      job: 'sweep',
      queue: 'slow',
      every: 300_000,
      args: { all: true },
      options: { removeOnComplete: { count: 1000 }, removeOnFail: { count: 5000 } },
      from: 'schedules.often in the config file',
    },
  ])
})

test('what is wrong in the config file is named by its place, with the fix', async () => {
  const jobs = [
    entry('report', { schedule: [{ key: 'x', cron: '@daily' }] }),
    entry('move', { kind: 'migration' }),
  ]
  const { declared, said } = await declare(
    jobs,
    {
      x: { job: 'report', every: '5m' },
      a: { job: 'reprot', cron: '@daily' },
      b: { job: 'report', cron: '99 * * * *' },
      c: { job: 'report' },
      d: { job: 'move', cron: '@daily' },
      e: { job: 'broken', cron: '@daily' },
      f: { job: 'report', every: '10ms' },
      'g h': { job: 'report', cron: '@daily', timezone: 'Mars' },
    },
    ['broken'],
  )
  expect(declared.map(({ id }) => id)).toEqual(['report:x'])
  expect(said).toEqual([
    'CONFIG_INVALID | schedules.a in the config file: no job is named "reprot" | did you mean report?',
    'CONFIG_INVALID | schedules.b.cron in the config file: not a cron pattern that ever comes round: Constraint error, got value 99 expected range 0-59',
    "CONFIG_INVALID | schedules.c in the config file: expected cron: '0 3 * * *' or every: '5m'",
    'CONFIG_INVALID | schedules.d in the config file: move is a migration, which is done once; schedule a job that enqueues it',
    'CONFIG_INVALID | schedules.f.every in the config file: expected at least 1s',
    'CONFIG_INVALID | schedules.g h.key in the config file: expected letters, digits and - _ . @ + = /',
    'CONFIG_INVALID | schedules.g h.timezone in the config file: no time zone that is known here, such as Europe/Berlin or UTC',
    'CONFIG_INVALID | schedule report:x is declared twice: by jobs/report.ts and by schedules.x in the config file | give one of them another key',
  ])
})

test('a config file that has no schedules of the right shape is refused with the place, and without their args', async () => {
  const schedules = { a: { job: 'report', every: 'soon', args: { password: 'secret' } } } as never
  await expect(declare([], schedules)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message:
      'schedules in the config file: a.every: expected a duration such as 250ms, 30s, 5m, 2h or 1d, got "soon"',
  })
  await expect(declare([], { a: { cron: '@daily' } } as never)).rejects.toMatchObject({
    message: 'schedules in the config file: a.job: Invalid input: expected string, received undefined',
  })
})

test('args that are too large for a payload are a fault of their schedule', async () => {
  const large = declaration({ args: 'x'.repeat(1024 * 1024) })
  const [fault, ...more] = await argsFaults(
    [large, declaration({ job: 'small' })],
    { check: async () => [null] },
    [],
  )
  expect(more).toEqual([])
  expect(fault).toMatchObject({ schedule: 'report', code: 'ARGS_INVALID' })
  expect(fault?.message).toMatch(
    /^schedule report of jobs\/report\.ts: the payload of report is refused\n.*1048578 bytes/,
  )
})

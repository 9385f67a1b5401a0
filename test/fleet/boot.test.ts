/** A replica that is told to stop, or whose files end their executor, while its executors boot. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bench, EITHER_KIND, untilState } from '../helpers/fleet.ts'
import { project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const FINE = 'export default () => 1\n'

describe.each(EITHER_KIND)('in a %s', isolation => {
  it('stops at once on TERM while a job file is still being imported', async () => {
    using dir = project({
      'jobs/slow.js': `console.error('importing')\nawait new Promise(done => setTimeout(done, 20_000))\n${FINE}`,
    })
    await using replica = new Replica({ redis, cwd: dir.dir, jobs: 'jobs', args: ['--isolation', isolation] })
    await replica.until(() => replica.stderr.includes('importing'), 'its first import')
    replica.kill('SIGTERM')
    const { code, ms } = await replica.ended
    expect(code).toBe(0)
    expect(ms).toBeLessThan(3_000)
  })

  it('fetches no job when it is told to be quiet while it boots, until it is told to go on', async () => {
    await using b = await bench(redis, 'default')
    using dir = project({
      'jobs/slow.js': `console.error('importing')\nawait new Promise(done => setTimeout(done, 1_000))\n${FINE}`,
    })
    const { id } = await b.queue.add('slow', {})
    const options = { redis, cwd: dir.dir, jobs: 'jobs' }
    await using replica = new Replica({ ...options, args: ['--isolation', isolation] })
    await replica.until(() => replica.stderr.includes('importing'), 'its first import')
    replica.kill('SIGTSTP')
    await replica.event('fleet.started')
    // Another one has the job, which the first could have fetched all the while that this one boots.
    await using other = new Replica({ ...options, args: ['--max-jobs', '1'] })
    expect((await other.ended).code).toBe(0)
    expect(await untilState(b.queue, id)).toMatchObject({ state: 'completed', attemptsStarted: 1 })
    replica.kill('SIGCONT')
    const next = await b.queue.add('slow', {})
    expect(await untilState(b.queue, next.id)).toMatchObject({ state: 'completed', attemptsStarted: 1 })
    expect(replica.events('job.handed-back')).toEqual([])
  })

  it('--watch: a change that ends every new executor leaves the old ones at work', async () => {
    await using b = await bench(redis, 'default')
    using dir = project({ 'jobs/fine.js': FINE })
    const args = ['--isolation', isolation, '--watch', '--executors', '2']
    await using replica = await Replica.start({ redis, cwd: dir.dir, jobs: 'jobs', args })
    // The files are watched a moment after the start: from the first job on, surely.
    const first = await b.queue.add('fine', {})
    expect(await untilState(b.queue, first.id)).toMatchObject({ state: 'completed', returnvalue: 1 })

    dir.write({ 'jobs/exits.js': 'process.exit(0)' })
    await replica.until(
      () => /not reloaded.*jobs\/exits\.js: called process\.exit\(0\)/.test(replica.stderr),
      'its refusal',
    )
    const during = await b.queue.add('fine', {})
    expect(await untilState(b.queue, during.id)).toMatchObject({ state: 'completed', returnvalue: 1 })

    // Once it is mended, the new version is taken, by as many executors as before.
    dir.write({ 'jobs/exits.js': FINE, 'jobs/fine.js': 'export default () => 2\n' })
    await replica.event('fleet.reloaded', { jobs: 2, broken: 0 })
    const after = await b.queue.add('fine', {})
    expect(await untilState(b.queue, after.id)).toMatchObject({ state: 'completed', returnvalue: 2 })
    await expect
      .poll(async () => {
        replica.stderr = ''
        replica.kill('SIGTTIN')
        await replica.until(() => replica.stderr.includes(' running, rss '), 'the dump')
        await new Promise(done => setTimeout(done, 50))
        return replica.stderr.match(/executor \d+ {2}ready/g)?.length
      })
      .toBe(2)
    replica.kill('SIGTERM')
    expect((await replica.ended).code).toBe(0)
  })
})

/** A handler that holds its event loop is named while it does, is run once, and harms nobody. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bench, fateOf, KINDS, untilFinished, untilState } from '../helpers/fleet.ts'
import { expectPromiseKept } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const jobs = fileURLToPath(new URL('../fixtures/jobs-block', import.meta.url))
const NEIGHBOURS = 5

/** `file.ts:line` of the line that is marked in a fixture. */
function marked(file: string): string {
  const path = fileURLToPath(new URL(`../fixtures/${file}`, import.meta.url))
  const line =
    readFileSync(path, 'utf8')
      .split('\n')
      .findIndex(text => text.endsWith('// here')) + 1
  return `${file}:${line}:`
}

const settings = (kind: string, ...more: string[]) =>
  [
    ['--isolation', kind, '--executors', '1', '--concurrency', '10'],
    ['--block-warn', '500ms', '--lock-duration', '1s', '--stalled-interval', '300ms', ...more],
  ].flat()

describe.each(KINDS)('in an executor that is a %s', kind => {
  it.each([
    ['spin', 'jobs-block/spin.ts', /^at /],
    ['regex', 'jobs-block/regex.ts', /^at /],
    ['wait', 'jobs-block/wait.ts', /^at /],
    ['timer', 'jobs-block/timer.ts', /^at /],
    ['import', 'blocking-module.ts', /^at /],
    ['exec', 'jobs-block/exec.ts', /^in native code called at /],
    ['pbkdf2', 'jobs-block/pbkdf2.ts', /^in native code called at /],
  ])('%s: the job and the line are named, it is run once, its result is kept', async (name, file, how) => {
    await using fleet = await bench(redis, 'block')
    await using one = await Replica.start({ redis, jobs, args: settings(kind) })
    // Would run what the first one loses.
    await using two = await Replica.start({ redis, jobs, args: settings(kind) })
    const blocker = await fleet.queue.add(name, { ms: 2_500 })
    const neighbours = await fleet.queue.addBulk(
      Array.from({ length: NEIGHBOURS }, () => ({ name: 'neighbour', data: { ms: 300 } })),
    )
    await untilFinished(fleet.queue, NEIGHBOURS + 1)
    expect(await fateOf(fleet.queue, blocker.id)).toMatchObject({
      state: 'completed',
      returnvalue: 'kept',
      attemptsStarted: 1,
      stalledCounter: 0,
    })
    await expectPromiseKept(fleet.client, {
      ids: [blocker, ...neighbours].map(({ id }) => id as string),
      starts: 1,
    })
    const blocked = [...one.events('job.blocked'), ...two.events('job.blocked')]
    const named = blocked.filter(line => line['job'] === name)
    expect(named.length).toBeGreaterThan(0)
    const last = named.at(-1) as Record<string, unknown>
    expect(last).toMatchObject({ queue: 'block', id: blocker.id })
    expect(last['where']).toMatch(how)
    expect(last['where']).toContain(marked(file))
    expect(last['stack']).toContain(marked(file))
    const [over] = [...one.events('job.unblocked'), ...two.events('job.unblocked')]
    expect(over).toMatchObject({ job: name, id: blocker.id })
    const { logs } = await fleet.queue.getJobLogs(blocker.id as string)
    expect(logs.join('\n')).toMatch(/held the event loop for [\d.]+s?/)
  })
})

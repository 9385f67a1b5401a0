/** The live view on a real terminal, by keys; and where there is none. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, bench, untilState } from '../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner } from '../helpers/runner.ts'
import { hasTmux, Tmux } from '../helpers/tmux.ts'

let redis: TestRedis
let b: Bench
let replica: Replica
beforeAll(async () => {
  redis = await startRedis()
  b = await bench(redis)
  replica = await Replica.start({ redis, args: ['--queue', 'fleet:5', '--executors', '1'] })
})
afterAll(async () => {
  for (const open of [replica, b, redis]) await open[Symbol.asyncDispose]()
})

const args = () => ['top', '--redis', redis.url, '--interval', '500ms']

describe.skipIf(!hasTmux)('on a terminal', () => {
  it('pauses, cancels, retries and quiets by keys', async () => {
    const failed = await b.act({ do: 'throw' })
    await untilState(b.queue, failed.id, 'failed')
    const sleeper = await b.act({ do: 'sleep', ms: 600_000 })
    using screen = new Tmux(args(), 80, 24, import.meta.dirname)
    await screen.until(/act +2 /)
    screen.keys('p')
    await screen.until('fleet is paused')
    expect(await b.queue.isPaused()).toBe(true)
    // A key does the opposite of what is shown.
    await screen.until(/fleet +paused/)
    screen.keys('p')
    await screen.until(/fleet is open/)
    screen.keys('Tab', 'C')
    await screen.until(/act 2: (stopped|killed)/)
    await untilState(b.queue, sleeper.id, 'failed')
    screen.keys('1', 'r')
    await screen.until('retry all failed jobs of fleet? [y/N]')
    screen.keys('y')
    await screen.until('2 jobs of fleet retried')
    screen.keys('3', 'p')
    await screen.until('takes no new jobs')
    await replica.event('fleet.quiet')
    await screen.until(/ quiet +\d/)
    screen.keys('p')
    await screen.until('takes jobs')
    screen.keys('q')
    await expect.poll(() => screen.isOver).toBe(true)
  })

  it.each([
    [80, 24],
    [200, 50],
  ])('fits into %i columns and %i lines', async (columns, rows) => {
    using screen = new Tmux(args(), columns, rows, import.meta.dirname)
    const text = await screen.until('fleet')
    const lines = text.split('\n').slice(0, rows)
    expect(lines[0]).toContain('runner top')
    expect(lines.at(-1)).toContain('q quit')
    expect(text).not.toContain('…')
  })
})

it('is one frame where there is no terminal', async () => {
  const text = await runner(args(), { cwd: import.meta.dirname })
  expect(text).toMatchObject({ code: 0, stderr: '' })
  expect(text.stdout).toMatch(/^runner top .* 1 replicas/)
  expect(text.stdout).toMatch(/\n {2}fleet +open/)
  const { queues, replicas } = JSON.parse(
    (await runner([...args(), '--json'], { cwd: import.meta.dirname })).stdout,
  ) as {
    queues: { queue: string }[]
    replicas: { pid: number }[]
  }
  expect(queues.map(({ queue }) => queue)).toEqual(['fleet'])
  expect(replicas.map(({ pid }) => pid)).toEqual([replica.pid])
})

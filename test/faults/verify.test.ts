/** `runner verify` on a real Redis: that the runner passes, that a bare worker does not, and that nothing is left. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { runner, startRunner } from '../helpers/runner.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const verify = (...args: string[]) => runner(['verify', '--redis', redis.url, ...args], { cwd: redis.dir })

interface Report {
  subject: string
  faults: {
    fault: string
    jobs: number
    double: string[]
    lost: string[]
    violated: boolean
    recovery: unknown
  }[]
}

it('passes with every fault', async () => {
  const { code, stdout, stderr } = await verify('--jobs', '30', '-o', 'json')
  expect(stderr).toContain('memory: ok')
  const { subject, faults } = JSON.parse(stdout) as Report
  expect(subject).toBe('runner')
  expect(faults.map(({ fault }) => fault)).toEqual(['block', 'kill', 'freeze', 'term', 'cut', 'memory'])
  for (const report of faults)
    expect(report).toMatchObject({ jobs: 30, double: [], lost: [], violated: false })
  expect(faults.find(({ fault }) => fault === 'kill')?.recovery).not.toBeNull()
  expect(code).toBe(0)
  expect(await redis.client().dbsize()).toBe(0)
})

it('fails a bare worker that is blocked, and names the runs', async () => {
  const { code, stdout, stderr } = await verify('--subject', 'bullmq', '--fault', 'block', '--jobs', '30')
  expect(stderr).toContain('block: VIOLATED')
  expect(stdout).toMatch(/^block: double: job \d+: run 2 \(replica \d\) while run 1 \(replica \d\)$/m)
  expect(code).toBe(1)
  expect(await redis.client().dbsize()).toBe(0)
})

it('leaves nothing behind when it is interrupted', async () => {
  const { child, ended } = startRunner(['verify', '--redis', redis.url, '--fault', 'freeze'], {
    cwd: redis.dir,
  })
  const client = redis.client()
  await expect.poll(() => client.keys('runner-verify-*:journal:log')).toHaveLength(1)
  child.kill('SIGINT')
  expect((await ended).code).toBe(130)
  expect(await client.dbsize()).toBe(0)
  await expect
    .poll(async () => String(await client.client('LIST')).match(/name=runner:(canary|fleet)/g))
    .toBeNull()
})

it.each([
  [['--fault', 'blok'], /there is no fault "blok"[\s\S]*did you mean block\?/],
  [['--jobs', '2'], /--jobs: expected 5 to 10000, got "2"/],
  [['--duration', 'soon'], /soon/],
])('refuses %j', async (args, message) => {
  const { code, stderr } = await verify(...args)
  expect(stderr).toMatch(message)
  expect(code).toBe(2)
})

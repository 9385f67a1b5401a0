import { afterAll, beforeAll, expect, test } from 'vitest'
import { project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { runnerOnTerminal } from '../helpers/runner.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

test.each([
  ['', true],
  ['1', false],
])(
  'on a terminal the log is for people, in colour unless NO_COLOR says no: %j',
  async (NO_COLOR, inColour) => {
    using dir = project({ 'jobs/fine.mjs': 'export default () => 1' })
    const { stdout } = await runnerOnTerminal(['work', '--drain'], {
      cwd: dir.dir,
      env: { REDIS_URL: redis.url, NO_COLOR },
    })
    expect(stdout).toContain(
      inColour ? '\u001B[32mINFO\u001B[39m: \u001B[36mfleet.started' : 'INFO: fleet.started',
    )
  },
)

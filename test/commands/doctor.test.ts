/** `runner doctor` on what real replicas measured. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Finding } from '../../src/doctor/finding.ts'
import { Measured } from '../../src/redis/measured.ts'
import { bench, untilState } from '../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner } from '../helpers/runner.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const doctor = (...args: string[]) =>
  runner(['doctor', '--redis', redis.url, ...args], { cwd: import.meta.dirname })

async function findings(...args: string[]): Promise<Record<string, Finding>> {
  const all = JSON.parse((await doctor(...args, '--json')).stdout) as Finding[]
  return Object.fromEntries(all.map(finding => [finding.check, finding]))
}

it('says of each setting what was measured, what is set, and what to do', async () => {
  await using b = await bench(redis)
  expect(await doctor()).toMatchObject({
    code: 0,
    stdout: 'no queue was measured yet, and no replica is live\n',
  })
  const args = ['--executors', '1', '--lock-duration', '1s', '--grace', '1s', '--block-limit', '3s']
  const replica = await Replica.start({ redis, args })
  const blocker = await b.act({ do: 'spin', ms: 2_500 })
  await untilState(b.queue, blocker.id, 'completed')
  const all = await findings()
  // The replica is live: what it is set to counts, and not the defaults of whoever asks.
  expect(all).toMatchObject({
    lockDuration: { queue: 'fleet', actual: '1s' },
    stalledInterval: { actual: '500ms', level: 'ok' },
    grace: { actual: '1s' },
  })
  replica.kill('SIGTERM')
  await replica.ended
  expect(await findings('fleet')).toMatchObject({
    lockDuration: { actual: '8s', level: 'ok' },
    grace: { expected: expect.stringMatching(/^[23](\.\d)?s: 99\.9% of runs$/), actual: '25s' },
    'block.limit': { expected: expect.stringMatching(/the longest block was [23]/) },
  })
})

it('exits 1 when locks run out while jobs run, and names the fix', async () => {
  await using b = await bench(redis)
  await new Measured(b.client, 'bull').add('mail', [{ metric: 'delay', bucket: 48, count: 3 }])
  const { code, stdout } = await doctor()
  expect(stdout).toMatch(
    /^error +lockDuration +mail +33s: renewals are up to 4\.1s late +8s: locks run out while jobs run +--lock-duration 33s, or auto$/m,
  )
  expect(code).toBe(1)
  expect((await doctor('other')).stdout).toBe('queue other was measured yet, and no replica is live\n')
})

/** Every executor is blocked, and whoever asks is answered at once. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bench, untilFinished } from '../helpers/fleet.ts'
import { untilRecorded } from '../helpers/oracle.ts'
import { proberOf } from '../helpers/probe.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const BLOCKED = 20_000

/** A server that does nothing else, asked at the same moments: what a host without CPU takes is no fault of a replica. */
async function bareServer(): Promise<AsyncDisposable & { ask: () => Promise<number> }> {
  const code = `const server = require('node:http').createServer((_, answer) => answer.end('ok'))
    server.listen(0, '127.0.0.1', () => console.log(server.address().port))`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    ask: async () => {
      const asked = performance.now()
      await (await fetch(`http://127.0.0.1:${port.toString().trim()}`)).text()
      return performance.now() - asked
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await once(child, 'close')
    },
  }
}

it('answers within 200 ms throughout, that it is alive and ready, and its metrics', async () => {
  await using b = await bench(redis)
  const args = ['--http', '127.0.0.1:0', '--executors', '2', '--queue', 'fleet:2', '--wedged-after', '15s']
  await using replica = await Replica.start({ redis, args, logLevel: 'info' })
  const ask = await proberOf(replica)
  await using bare = await bareServer()
  // Inside a call that nothing can interrupt: the worst there is, and it takes no processor from the others.
  await b.acts(2, { do: 'native', ms: BLOCKED })
  await untilRecorded(b.client, 'start', 2)
  const waiting = await b.acts(3, { do: 'return' })
  const began = performance.now()
  const answers = []
  while (performance.now() - began < BLOCKED - 1_000) {
    const [usual, ...all] = await Promise.all([bare.ask(), ask('/livez'), ask('/readyz'), ask('/metrics')])
    answers.push(...all.map(answer => ({ ...answer, ms: answer.ms - usual })))
    await sleep(250)
  }
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(200)
  // On a busy host the two are not blocked at quite the same time.
  const middle = 3 * Math.floor(answers.length / 6)
  expect(answers[middle]?.said).toBe(`saturated: fleet: ${waiting.length} wait, all 2 slots are taken`)
  expect(answers[middle + 2]?.said).toContain('runner_executors_blocked 2')
  expect(replica.events('job.blocked').length).toBeGreaterThanOrEqual(2)
  await untilFinished(b.queue, 5)
  expect(replica.events('worker.recreated')).toEqual([])
})

/** The server became a replica of one that is gone: it answers, and takes no write. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bench, untilState } from '../helpers/fleet.ts'
import { expectPromiseKept, untilRecorded } from '../helpers/oracle.ts'
import { proberOf } from '../helpers/probe.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
/** Of handlers: it stays writable. */
let oracle: TestRedis
beforeAll(async () => {
  redis = await startRedis()
  oracle = await startRedis()
})
afterAll(async () => {
  await redis.stop()
  await oracle.stop()
})

/** Seconds of the processor that a process has used, by a clock of a hundred ticks a second. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Seconds, more than a lock lasts. */
const WATCHED = 8

it('says so less than once a second, takes no CPU, keeps what was done meanwhile, and goes on', async () => {
  await using b = await bench(redis)
  const args = ['--http', '127.0.0.1:0', '--executors', '1', '--lock-duration', '4s']
  await using replica = await Replica.start({ redis, oracle, args, logLevel: 'info' })
  const ask = await proberOf(replica)
  const during = await b.act({ do: 'gate', value: 'kept' })
  const facts = oracle.client()
  await untilRecorded(facts, 'start', 1)

  await b.client.replicaof('127.0.0.1', 1)
  await expect.poll(async () => (await ask('/readyz')).said).toMatch(/readonly|READONLY/)
  await facts.set('open', '1')
  await untilRecorded(facts, 'end', 1)
  const [cpu, lines] = [cpuOf(replica.pid), replica.lines.length]
  await sleep(WATCHED * 1_000)
  expect((cpuOf(replica.pid) - cpu) / WATCHED, 'share of a core').toBeLessThan(0.05)
  expect(replica.lines.length - lines, 'log lines').toBeLessThan(WATCHED)
  expect(await replica.event('redis.error', { kind: 'readonly' })).toMatchObject({ level: 50 })
  // A restart of the replica would mend nothing.
  expect(await ask('/livez')).toMatchObject({ status: 200 })

  await b.client.replicaof('NO', 'ONE')
  const after = await b.act({ do: 'return', value: 'after' })
  const mended = performance.now()
  expect(await untilState(b.queue, after.id)).toMatchObject({ state: 'completed', returnvalue: 'after' })
  expect(performance.now() - mended).toBeLessThan(10_000)
  expect(await untilState(b.queue, during.id)).toMatchObject({
    state: 'completed',
    returnvalue: 'kept',
    attemptsStarted: 1,
  })
  await expectPromiseKept(facts, { ids: [during.id as string, after.id as string], starts: 1 })
  await expect.poll(async () => (await ask('/readyz')).status).toBe(200)
  expect([...replica.events('replica.wedged'), ...replica.events('worker.recreated')]).toEqual([])
})

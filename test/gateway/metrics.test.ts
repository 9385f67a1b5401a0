/** What a replica that ran jobs tells Prometheus, over HTTP, while its executors do as they like. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bench, untilFinished, untilState, type Bench } from '../helpers/fleet.ts'
import { hasPromtool, promtool } from '../helpers/promtool.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
let b: Bench
let replica: Replica
let url: unknown
beforeAll(async () => {
  redis = await startRedis()
  b = await bench(redis)
  const args = ['--http', '127.0.0.1:0', '--executors', '2', '--block-warn', '500ms', '--queue', 'fleet:20']
  replica = await Replica.start({ redis, args, logLevel: 'info' })
  ;({ url } = await replica.event('http.listening'))
})
afterAll(async () => {
  await replica[Symbol.asyncDispose]()
  await b[Symbol.asyncDispose]()
  await redis.stop()
})

async function scrape(): Promise<string> {
  const answer = await fetch(`${String(url)}/metrics`)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  return answer.text()
}

async function valueOf(series: string): Promise<number | undefined> {
  const line = (await scrape()).split('\n').find(one => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

const outcome = (name: string, of: string) =>
  valueOf(`runner_jobs_finished_total{queue="fleet",name="${name}",outcome="${of}"}`)

it('counts jobs by their outcome, and those of 200 names without a handler as one', async () => {
  const bad = Array.from({ length: 200 }, (_, i) => ({ name: `no-such-job-${i}`, data: {} }))
  await b.queue.addBulk(bad)
  await b.acts(3, { do: 'return', value: 1 })
  await b.act({ do: 'throw' })
  await b.act({ do: 'unrecoverable', text: 'no' }, { attempts: 5 })
  await b.act({ do: 'throw' }, { attempts: 3 })
  await b.act({ do: 'snooze', text: '1ms', untilFence: 2 })
  await untilFinished(b.queue, 207)
  // The last one is counted when the answer of Redis has come back.
  await expect.poll(() => outcome('act', 'completed')).toBe(4)
  await expect.poll(() => outcome('act', 'failed')).toBe(3)
  expect(await outcome('act', 'retried')).toBe(2)
  expect(await outcome('act', 'snoozed')).toBe(1)
  expect(await outcome('_other', 'failed')).toBe(200)
  const text = await scrape()
  expect(text).not.toContain('no-such-job')
  expect(text).toContain('runner_job_duration_seconds_count{queue="fleet",name="act",outcome="failed"} 5\n')
  // Each job once, as it was started for the first time.
  expect(text).toContain('runner_job_wait_seconds_count{queue="fleet",name="act"} 7\n')
  expect(text).toMatch(/^runner_info\{version="[\d.]+",node="24[\d.]+",bullmq="[\d.]+"\} 1$/m)
})

it('says what runs, and who renews its lock how late', async () => {
  const gates = await b.acts(2, { do: 'gate' })
  await expect.poll(() => valueOf('runner_slots_used{queue="fleet"}')).toBe(2)
  expect(await valueOf('runner_slots{queue="fleet"}')).toBe(20)
  expect(await valueOf('runner_executors{state="ready"}')).toBe(2)
  // Locks are renewed when they are a quarter of their duration old.
  const renewed = () => valueOf('runner_redis_round_trip_seconds_count')
  await expect.poll(renewed, { interval: 250 }).toBeGreaterThan(0)
  await b.open()
  for (const { id } of gates) await untilState(b.queue, id)
  await expect.poll(() => valueOf('runner_slots_used{queue="fleet"}')).toBe(0)
})

it('answers while every executor is blocked, and says that they are', async () => {
  const spins = await b.acts(2, { do: 'spin', ms: 3_000 })
  await expect.poll(() => valueOf('runner_executors_blocked'), { interval: 50 }).toBe(2)
  for (const { id } of spins) await untilState(b.queue, id)
  const blocked = (what: string) => valueOf(`runner_job_${what}_total{queue="fleet",name="act"}`)
  // A host without CPU holds loops, too, and breaks one block into several.
  await expect.poll(() => blocked('blocks')).toBeGreaterThanOrEqual(2)
  expect(await blocked('blocked_seconds')).toBeGreaterThan(2)
  await expect.poll(() => valueOf('runner_executors_blocked')).toBe(0)
})

it('counts an executor that a job ended, and takes its place', async () => {
  const { id } = await b.act({ do: 'exit' })
  await untilState(b.queue, id)
  await expect.poll(() => valueOf('runner_executor_ends_total{cause="exit"}')).toBe(1)
})

it.skipIf(!hasPromtool)('is found without a fault by promtool (without it: skipped)', async () => {
  expect(promtool(['check', 'metrics'], await scrape())).toEqual({ code: 0, said: '' })
})

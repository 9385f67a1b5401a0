/** How long locks last under `--lock-duration auto`, seen where it counts: on the locks in Redis. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Renewal } from '../../src/fleet/fleet-locks.ts'
import type { FleetWorker } from '../../src/fleet/fleet-worker.ts'
import { LockTerms, suitableLockDuration } from '../../src/fleet/lock-terms.ts'
import { Measurements } from '../../src/fleet/measurements.ts'
import { Events } from '../../src/observe/events.ts'
import { Histogram } from '../../src/observe/histogram.ts'
import { Measured } from '../../src/redis/measured.ts'
import { bench, untilState } from '../helpers/fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

/** Buckets are fourth roots of two: 44 is 2,048 ms. */
const bucketOf = (ms: number) => Math.log2(ms) * 4

/** What a lock lasts that is taken now. */
async function lockOf(args: string[]): Promise<number> {
  await using b = await bench(redis)
  if (args.includes('auto')) {
    const measured = new Measured(b.client, 'bull')
    await measured.add('fleet', [{ metric: 'delay', bucket: bucketOf(2_048), count: 20 }])
  }
  await using _replica = await Replica.start({ redis, args: ['--executors', '1', ...args] })
  const { id } = await b.act({ do: 'gate' })
  await untilState(b.queue, id, 'active')
  const left = await b.client.pttl(`bull:fleet:${id}:lock`)
  await b.open()
  await untilState(b.queue, id, 'completed')
  return left
}

it.each([
  ['8 s by default', [], 8_000],
  ['what is given', ['--lock-duration', '20s'], 20_000],
  ['auto: eight times the delay of renewals', ['--lock-duration', 'auto'], 17_000],
])('a lock lasts %s', async (_case, args, ms) => {
  const left = await lockOf(args)
  expect(left).toBeLessThanOrEqual(ms)
  expect(left).toBeGreaterThan(ms / 2)
})

it('auto begins with the default', async () => {
  await using b = await bench(redis)
  await using _replica = await Replica.start({ redis, args: ['--executors', '1', '--lock-duration', 'auto'] })
  const { id } = await b.act({ do: 'gate' })
  await untilState(b.queue, id, 'active')
  expect(await b.client.pttl(`bull:fleet:${id}:lock`)).toBeLessThanOrEqual(8_000)
})

it.each([
  ['no less than 4 s', 1, 4_000],
  ['whole seconds', 1_024, 9_000],
  ['no more than 60 s', 30_000, 60_000],
])('auto is %s', (_case, delay, expected) => {
  const histogram = new Histogram()
  histogram.record(delay)
  expect(suitableLockDuration(histogram)).toBe(expected)
})

it('auto passes over what one renewal in two thousand was late by', () => {
  const histogram = new Histogram()
  for (let i = 0; i < 1_999; i++) histogram.record(10)
  histogram.record(30_000)
  expect(suitableLockDuration(histogram)).toBe(4_000)
})

it('auto is looked at again every minute, with what this replica has measured since', async () => {
  vi.useFakeTimers()
  const client = redis.client()
  const measurements = new Measurements(new Measured(client, 'again'), () => expect.unreachable())
  const events = new Events()
  const told: unknown[] = []
  events.on('queue.lock-duration', event => told.push(event))
  const config = { lockDuration: 'auto', stalledInterval: undefined } as const
  const terms = new LockTerms({ config, measurements, events, onError: () => expect.unreachable() })
  let onRenewal: (renewal: Renewal) => void = () => expect.unreachable()
  const worker = {
    name: 'q',
    lockTimes: await terms.of('q'),
    onRenewal: (listener: typeof onRenewal) => (onRenewal = listener),
  }
  expect(worker.lockTimes).toEqual({ lockDuration: 8_000, stalledInterval: 4_000 })
  terms.follow(worker as unknown as FleetWorker)
  onRenewal({ delay: 2_048, roundTrip: undefined })
  await vi.advanceTimersByTimeAsync(60_000)
  vi.useRealTimers()
  await expect.poll(() => told).toEqual([{ queue: 'q', lockDuration: 17_000, stalledInterval: 8_500 }])
  expect(worker.lockTimes).toEqual({ lockDuration: 17_000, stalledInterval: 8_500 })
  terms.stop()
})

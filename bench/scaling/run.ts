/** One load, one signal, for so many minutes: the autoscaler in a closed loop with a fleet of processes on a real Redis. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import type { TestRedis } from '../../test/helpers/redis.ts'
import { Fleet } from './fleet.ts'
import { Hpa, type HpaSpec } from './hpa.ts'
import { JOB_SECONDS, LOADS, dice, exponential, poisson, type Load } from './loads.ts'
import { GAUGES, type Signal } from './signals.ts'

export const CONCURRENCY = 5
/** Of the autoscaler, and of KEDA between two of those. */
const SYNC_SECONDS = 15
/** How old what KEDA read is when the autoscaler asks it. */
const POLL_AGE_SECONDS = 7
/** Until a pod takes jobs: it is scheduled, its image is there, and the process boots. */
const START_SECONDS = 20
/** Milliseconds of the wall's clock between two additions to the queue. */
const ADD_EVERY = 50
const QUEUE = 'naps'

/** As docs/scaling.md advises, but for the maximum: of more processes there would be too many for two cores. */
export const SPEC: HpaSpec = {
  minReplicas: 1,
  maxReplicas: 6,
  tolerance: 0.1,
  scaleUp: {
    stabilizationWindowSeconds: 0,
    policies: [
      { type: 'Percent', value: 100, periodSeconds: 15 },
      { type: 'Pods', value: 4, periodSeconds: 15 },
    ],
    selectPolicy: 'Max',
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    policies: [{ type: 'Percent', value: 25, periodSeconds: 60 }],
    selectPolicy: 'Min',
  },
}

export interface Figures {
  jobs: number
  starts: number
  evictions: number
  /** Seconds of the fast clock. */
  p50: number
  p95: number
  /** Replicas in the mean. */
  replicas: number
}

export interface RunOptions {
  load: Load
  signal: Signal
  redis: TestRedis
  fleet: Fleet
  minutes: number
  speed: number
  seed: number
}

export const openFleet = (redis: TestRedis, speed: number): Promise<Fleet> =>
  Fleet.open({
    redis,
    queue: QUEUE,
    concurrency: CONCURRENCY,
    most: SPEC.maxReplicas,
    startTime: (START_SECONDS * 1_000) / speed,
  })

export async function run({
  load,
  signal,
  redis,
  fleet,
  minutes,
  speed,
  seed,
}: RunOptions): Promise<Figures> {
  await fleet.reset()
  await redis.flush()
  const client = redis.client()
  const queue = new Queue(QUEUE, { connection: client })
  await queue.waitUntilReady()
  const gauge = await GAUGES[signal]({
    url: redis.url,
    client,
    queue: QUEUE,
    concurrency: CONCURRENCY,
    speed,
  })
  try {
    await fleet.scaleTo(SPEC.minReplicas)
    await sleep((START_SECONDS * 1_000) / speed)
    const began = performance.now()
    const now = () => ((performance.now() - began) * speed) / 1_000
    const until = (second: number) => sleep(Math.max(0, ((second - now()) * 1_000) / speed))
    const end = minutes * 60
    const producing = produce({ queue, load, seed, speed, now, end })
    const hpa = new Hpa(SPEC)
    let sizes = 0
    let syncs = 0
    for (let at = SYNC_SECONDS; at < end; at += SYNC_SECONDS) {
      await until(at - POLL_AGE_SECONDS)
      const metric = await gauge.read()
      await until(at)
      const size = hpa.sync(at, fleet.size, metric, gauge.target)
      sizes += size
      syncs++
      await fleet.scaleTo(size)
    }
    await producing
    const waits = await waitsOf(client, speed)
    const of = (share: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? 0
    return {
      jobs: waits.length,
      starts: fleet.starts - SPEC.minReplicas,
      evictions: fleet.evictions,
      p50: of(0.5),
      p95: of(0.95),
      replicas: sizes / syncs,
    }
  } finally {
    await gauge[Symbol.asyncDispose]()
    await queue.close()
    client.disconnect()
  }
}

interface Producing {
  queue: Queue
  load: Load
  seed: number
  speed: number
  /** In seconds of the fast clock. */
  now: () => number
  end: number
}

async function produce({ queue, load, seed, speed, now, end }: Producing): Promise<void> {
  const roll = dice(seed)
  let from = 0
  while (from < end) {
    await sleep(ADD_EVERY)
    const to = Math.min(end, now())
    const count = poisson(LOADS[load](from) * (to - from), roll)
    from = to
    const naps = Array.from({ length: count }, () => ({
      name: 'nap',
      data: { ms: Math.round((exponential(JOB_SECONDS, roll) * 1_000) / speed) },
    }))
    if (naps.length > 0) await queue.addBulk(naps)
  }
}

/** Of every job, ascending; one that was not started has waited until now. */
async function waitsOf(client: ReturnType<TestRedis['client']>, speed: number): Promise<number[]> {
  const last = Number(await client.get(`bull:${QUEUE}:id`))
  const pipeline = client.pipeline()
  for (let id = 1; id <= last; id++) pipeline.hmget(`bull:${QUEUE}:${id}`, 'timestamp', 'processedOn')
  const now = Date.now()
  const rows = ((await pipeline.exec()) ?? []) as [Error | null, [string, string | null]][]
  return rows
    .map(([, [added, started]]) => ((Number(started ?? now) - Number(added)) * speed) / 1_000)
    .toSorted((a, b) => a - b)
}

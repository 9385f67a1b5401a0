/**
 * Replicas come and go while jobs are run: 1 -> many -> 1, each told to stop and gone within its grace; one of them with
 * a grace that is too short. `CHAOS=long` (npm run chaos:platform) is 20 replicas and 20,000 jobs.
 */
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Act } from '../fixtures/actions.ts'
import { untilFinished } from '../helpers/fleet.ts'
import { lostOf } from '../helpers/load.ts'
import { expectPromiseKept, readOracle } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

const isLong = process.env['CHAOS'] === 'long'
const [REPLICAS, JOBS] = isLong ? [20, 20_000] : [4, 1_000]
const SLOTS = 10
const SECONDS = 1_000
const GRACE = 30
/** What each slot runs when replicas are told to stop. */
const LASTING = isLong ? 20_000 : 8_000
/** That boot at once: more would only wait for the cores. */
const AT_ONCE = 4
/** What `terminationGracePeriodSeconds` has to leave beyond the grace: the abort of handlers, hand-back, closing. */
const BEYOND = 15
/** They boot on the cores that there are. */
const PATIENCE = isLong ? 900_000 : 240_000

let redis: TestRedis
let client: Redis
let queue: Queue
beforeAll(async () => {
  redis = await startRedis()
  client = redis.client()
  queue = new Queue('fleet', { connection: client })
})
afterAll(async () => {
  await queue.close()
  await redis.stop()
})

/** Of the fleet from its first moment: one that does not come up leaves the others to be ended. */
async function startReplica(fleet: AsyncDisposableStack, grace = `${GRACE}s`): Promise<Replica> {
  const args = ['--executors', '1', '--concurrency', String(SLOTS), '--grace', grace, '--max-time', '20m']
  const replica = fleet.use(new Replica({ redis, args, logLevel: 'info' }))
  await replica.event('fleet.started')
  return replica
}

/** Told to stop, it is gone in its grace, with what it did not end handed back. */
async function stop(replica: Replica, grace = GRACE): Promise<number | null> {
  replica.kill('SIGTERM')
  const { code, ms } = await replica.ended
  expect(ms, 'milliseconds from SIGTERM to the end').toBeLessThan((grace + BEYOND) * SECONDS)
  return code
}

/** Most are over in no time; some take as long as real ones. */
function tiny(n: number): Act {
  return n % 100 === 0 ? { do: 'sleep', ms: 1_000 } : { do: 'sleep', ms: n % 100 }
}

const finished = async () => (await queue.getCompletedCount()) + (await queue.getFailedCount())

it(
  `keeps its promise from 1 to ${REPLICAS} replicas and back, under ${JOBS} jobs`,
  { timeout: PATIENCE },
  async () => {
    await using fleet = new AsyncDisposableStack()
    const first = await startReplica(fleet)
    const ids: string[] = []
    const add = async (acts: Act[], lifo = false) => {
      const opts = { lifo, attempts: 1 }
      const added = await queue.addBulk(acts.map(data => ({ name: 'act', data, opts })))
      ids.push(...added.map(({ id }) => id as string))
    }
    const addTiny = async (count: number) => {
      for (let n = 0; n < count; n += 1_000) await add(Array.from({ length: 1_000 }, (_, i) => tiny(n + i)))
    }
    await addTiny(JOBS / 2)

    const impatient = await startReplica(fleet, '1s')
    const others: Replica[] = []
    while (others.length < REPLICAS - 2) {
      const more = Math.min(AT_ONCE, REPLICAS - 2 - others.length)
      others.push(...(await Promise.all(Array.from({ length: more }, () => startReplica(fleet)))))
    }
    // Now that all are there; and each slot has one that outlasts a grace of 1 s.
    await addTiny(JOBS / 2)
    await add(
      Array.from({ length: REPLICAS * SLOTS }, () => ({ do: 'sleep', ms: LASTING })),
      true,
    )
    await expect
      .poll(() => queue.getActiveCount(), { timeout: PATIENCE, interval: 50 })
      .toBe(REPLICAS * SLOTS)
    expect(await queue.getWaitingCount()).toBeGreaterThan(0)
    const before = await finished()

    const [early, ...codes] = await Promise.all([
      stop(impatient, 1),
      ...others.slice(1).map(replica => stop(replica)),
    ])
    expect(early).toBe(75)
    // On a host with no time to spare even the others may have to hand something back.
    expect(codes.filter(code => code !== 0 && code !== 75)).toEqual([])

    // A rolling restart of what is left: each is replaced before it is told to stop.
    let latest = first
    for (const old of [first, others[0] as Replica]) {
      latest = await startReplica(fleet)
      expect([0, 75]).toContain(await stop(old))
    }
    await untilFinished(queue, ids.length, PATIENCE)
    const handed = codes.filter(code => code === 75).length
    console.log(
      `1 -> ${REPLICAS} -> 1: ${ids.length} jobs, ${before} done before the first replica went, ${handed} of the patient handed back`,
    )

    expect(
      await lostOf(
        client,
        queue,
        ids.map(id => ({ id })),
      ),
    ).toEqual([])
    await expectPromiseKept(client, { ids, starts: 3 })
    // Those of the impatient one were begun again by another, with no attempt used up.
    const handedBack = await Promise.all(ids.slice(JOBS).map(id => queue.getJob(id)))
    // Not by attemptsStarted: one that a replica fetched as it became quiet was put back without being run.
    const runs = await readOracle(client)
    const again = handedBack.filter(job => (runs.get(job?.id ?? '')?.starts.length ?? 0) > 1)
    expect(again.length).toBeGreaterThan(0)
    if (handed === 0) expect(again.length).toBeLessThanOrEqual(SLOTS)
    expect(again.filter(job => job?.attemptsMade !== 1 || job.stalledCounter !== 0)).toEqual([])
    expect(await stop(latest)).toBe(0)
  },
)

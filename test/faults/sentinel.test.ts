/** A Sentinel group fails over under load: the fleet goes on, and what is lost is what Redis had not replicated. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Load, lostOf, untilDrained } from '../helpers/load.ts'
import { expectPromiseKept, readOracle, untilRecorded } from '../helpers/oracle.ts'
import { project } from '../helpers/project.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { startSentinel, type TestSentinel } from '../helpers/sentinel.ts'
import { open } from '../redis/open.ts'

/** Of the fleet, from the fault to the next job that is started. */
const GOES_ON_MS = 30_000

let oracle: TestRedis
let ledger: Redis
beforeAll(async () => {
  oracle = await startRedis()
  ledger = oracle.client()
})
afterAll(() => oracle.stop())

/** `replicas` of them, and a producer with a connection of its own. */
async function openFleet(sentinel: TestSentinel, replicas: number) {
  await oracle.flush()
  const dir = project({ 'runner.config.ts': `export default { redis: ${JSON.stringify(sentinel.target)} }` })
  const args = [
    '--lock-duration',
    '10s',
    '--stalled-interval',
    '5s',
    '--executors',
    '1',
    '--concurrency',
    '20',
  ]
  const options = { redis: {}, oracle, cwd: dir.dir, args, logLevel: 'info' }
  const handle = await open(sentinel.target)
  const client = handle.connect('producer')
  const queue = new Queue('fleet', { connection: client })
  queue.on('error', () => undefined)
  const fleet = await Promise.all(Array.from({ length: replicas }, () => Replica.start(options)))
  return {
    client,
    queue,
    async [Symbol.asyncDispose]() {
      await Promise.all(fleet.map(replica => replica[Symbol.asyncDispose]()))
      await queue.close()
      await handle.close()
      dir[Symbol.dispose]()
    },
  }
}

/** Milliseconds until jobs are started that were added after the fault. */
async function untilGoingOn(load: Load): Promise<number> {
  const since = Date.now()
  const before = load.acknowledged.length
  await load.untilAcknowledged(20, GOES_ON_MS)
  // The first ones may have been on their way before.
  const ids = load.ids.slice(before + 10, before + 20)
  const started = async () => {
    const runs = await readOracle(ledger)
    return ids.every(id => runs.has(id))
  }
  await expect.poll(started, { timeout: GOES_ON_MS, message: 'new jobs to be started' }).toBe(true)
  return Date.now() - since
}

it('goes on when the primary freezes, and when the next one is killed, and loses no job', async () => {
  await using sentinel = await startSentinel()
  await using f = await openFleet(sentinel, 2)
  const { primary, replica } = sentinel
  // Most are over at once; some run through all of a failover.
  const load = new Load(f.queue, {
    pause: 5,
    act: n => (n % 50 === 0 ? { do: 'sleep', ms: 8_000 } : { do: 'sleep', ms: n % 20 }),
  })
  await untilRecorded(ledger, 'end', 200)

  primary.freeze()
  const afterFreeze = await untilGoingOn(load)
  await sentinel.untilPrimary(replica)
  // Back, it still takes itself for the primary, and what it says then must not count.
  primary.thaw()
  await sentinel.untilReplica(primary)

  await replica.stop()
  const afterKill = await untilGoingOn(load)
  await sentinel.untilPrimary(primary)

  await load.stop()
  await untilDrained(f.queue)
  const lost = await lostOf(f.client, f.queue, load.acknowledged)
  console.log(
    `failover of ${load.ids.length} jobs: on after ${afterFreeze} ms (frozen), ${afterKill} ms (killed), ${lost.length} lost`,
  )
  expect(Math.max(afterFreeze, afterKill)).toBeLessThan(GOES_ON_MS)
  expect(lost).toEqual([])
  await expectPromiseKept(ledger, { ids: load.ids })
})

it('loses what was acknowledged before it was replicated, and nothing that WAIT has seen there', async () => {
  await using sentinel = await startSentinel()
  await using f = await openFleet(sentinel, 1)
  const { primary, replica, replication } = sentinel
  const waited = new Queue('waited', { connection: f.client })
  waited.on('error', () => undefined)
  const pause = 5
  const act = () => ({ do: 'nothing' })
  const trusting = new Load(f.queue, { pause, act })
  // WAIT asks for all writes of its own connection: it is the one that added the job.
  const confirm = async () => (await f.client.wait(1, 50)) >= 1
  const careful = new Load(waited, { pause, act, confirm })
  await Promise.all([trusting.untilAcknowledged(50), careful.untilAcknowledged(20)])

  // Lag, as of a replica on a bad line: the primary goes on alone for a second, and is gone.
  await sentinel.useProxy()
  const lagFrom = Date.now()
  replication.swallow({ fresh: false })
  await sleep(1_000)
  await primary.stop()
  const lagUntil = Date.now()
  await sentinel.untilPrimary(replica)
  // The other one waits: there is nothing yet that its jobs could be replicated to.
  await trusting.untilAcknowledged(20)
  await Promise.all([trusting.stop(), careful.stop()])
  await untilDrained(f.queue)

  const lost = await lostOf(f.client, f.queue, trusting.acknowledged)
  console.log(
    `a replica 1 s behind: ${lost.length} of ${trusting.ids.length} lost without WAIT, ${lagUntil - lagFrom} ms of lag`,
  )
  expect(lost.length).toBeGreaterThan(0)
  expect(lost.filter(({ sentAt, at }) => at < lagFrom || sentAt > lagUntil)).toEqual([])
  const kept = new Set((await waited.getWaiting()).map(({ id }) => id))
  expect(careful.ids.filter(id => !kept.has(id))).toEqual([])
  // Whatever was lost, nothing was run twice at once, and what Redis still had was run. Of what was started during the lag
  // it has forgotten the start: that is run again, with the fence it had.
  const gone = new Set(lost.map(({ id }) => id))
  await expectPromiseKept(ledger, { ids: trusting.ids.filter(id => !gone.has(id)), isForgetful: true })
  await waited.close()
})

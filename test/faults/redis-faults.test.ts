/**
 * What happens to a Redis in production, one after another, to one server with one replica and one producer: whatever
 * was acknowledged ends, and nothing runs twice at once. The server's disk is a small one of its own, to be filled.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Load, lostOf, untilDrained } from '../helpers/load.ts'
import { expectPromiseKept, readOracle, untilRecorded } from '../helpers/oracle.ts'
import { SilentProxy } from '../helpers/proxy.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

const MIB = 1024 * 1024
/** The clients come back within two seconds of the server, and the sweep follows. */
const GOES_ON_MS = 20_000
/** What an unanswered command may take to be noticed, and as above. */
const NOTICED_MS = 15_000 + 10_000

let folder: string
let isMounted = false
let redis: TestRedis
let oracle: TestRedis
let ledger: Redis
let client: Redis
let queue: Queue
let line: SilentProxy
let replica: Replica
const acknowledged: string[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'redis-faults-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder], { stdio: 'pipe' })
    isMounted = true
  } catch {
    // Only root may; the test of it says so.
  }
  ;[redis, oracle] = await Promise.all([startRedis({ dir: folder }), startRedis()])
  ledger = oracle.client()
  client = redis.client()
  queue = new Queue('fleet', { connection: client })
  queue.on('error', () => undefined)
  line = await SilentProxy.open(redis)
  const args = ['--lock-duration', '4s', '--stalled-interval', '2s', '--executors', '1']
  replica = await Replica.start({ redis: line, oracle, args, logLevel: 'info' })
})
afterAll(async () => {
  await replica[Symbol.asyncDispose]()
  await line[Symbol.asyncDispose]()
  await queue.close()
  await Promise.all([redis.stop(), oracle.stop()])
  if (isMounted) execFileSync('umount', ['-l', folder])
  rmSync(folder, { recursive: true, force: true })
})

/** Some jobs, and while they are added and run, `fault`. Its end is when the platform is well again. */
async function under(name: string, fault: (load: Load) => Promise<void>, bound = GOES_ON_MS): Promise<Load> {
  await ledger.flushall()
  const load = new Load(queue, {
    pause: 5,
    // Ids of their own: those of the fault before are kept.
    name,
    act: n => ({ do: 'sleep', ms: n % 40 === 0 ? 1_500 : n % 20, text: 'x'.repeat(200) }),
  })
  await untilRecorded(ledger, 'end', 60)
  await fault(load)
  const since = Date.now()
  const before = load.acknowledged.length
  await load.untilAcknowledged(20, bound)
  const ids = load.ids.slice(before + 10, before + 20)
  const ended = async () => {
    const runs = await readOracle(ledger)
    return ids.every(id => runs.has(id))
  }
  await expect.poll(ended, { timeout: bound, message: 'new jobs to be started' }).toBe(true)
  const ms = Date.now() - since
  await load.stop()
  await untilDrained(queue)
  console.log(`${name}: ${load.ids.length} acknowledged, ${load.refused.length} refused, on after ${ms} ms`)
  return load
}

/** All of it, and all that was acknowledged before. */
async function expectKept(load: Load): Promise<void> {
  acknowledged.push(...load.ids)
  expect(
    await lostOf(
      client,
      queue,
      acknowledged.map(id => ({ id })),
    ),
  ).toEqual([])
  await expectPromiseKept(ledger, { ids: load.ids })
}

async function killServer(): Promise<void> {
  process.kill(redis.pid, 'SIGKILL')
  await redis.restart()
}

it('loses nothing when Redis is killed and has an append-only file', async () => {
  await expectKept(await under('killed', killServer))
})

it('loses nothing when the disk is full: producers are refused, and all goes on when there is room', async ({
  skip,
}) => {
  if (!isMounted) skip('only root may mount a disk small enough to fill it')
  const filler = join(folder, 'filler')
  const load = await under('disk-full', async busy => {
    const free = execFileSync('df', ['--output=avail', '-B1', folder], { encoding: 'utf8' }).split('\n')[1]
    writeFileSync(filler, Buffer.alloc(Number(free)))
    await expect.poll(() => busy.refused.length).toBeGreaterThan(5)
    rmSync(filler)
  })
  expect(load.refused.map(({ message }) => message).join('\n')).toContain('MISCONF')
  await expectKept(load)
})

it('drains what it has when the memory is full: producers are refused at once, workers go on', async () => {
  const load = await under('memory-full', async busy => {
    const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
    await client.config('SET', 'maxmemory', used - MIB / 4)
    await expect.poll(() => busy.refused.length).toBeGreaterThan(5)
    // With no room at all, what is there is worked off.
    await untilDrained(queue)
    await client.config('SET', 'maxmemory', 0)
  })
  expect(load.refused.map(({ message }) => message).join('\n')).toContain('OOM')
  await expectKept(load)
})

it('notices that its connections are dead though nobody closed them, and takes its jobs up again', async () => {
  const load = await under(
    'half-open',
    async () => {
      expect(line.swallow({ fresh: false })).toBeGreaterThan(1)
    },
    NOTICED_MS,
  )
  await expectKept(load)
})

it('goes on with an empty Redis, where nothing was kept on disk, and runs nothing twice at once', async () => {
  const load = await under('without-file', async () => {
    process.kill(redis.pid, 'SIGKILL')
    await redis.restart(() => rmSync(join(folder, 'appendonlydir'), { recursive: true }))
  })
  const lost = await lostOf(client, queue, load.acknowledged)
  expect(lost.length).toBeGreaterThan(0)
  const gone = new Set(lost.map(({ id }) => id))
  // What came after the restart is all there.
  expect(load.ids.slice(-20).filter(id => gone.has(id))).toEqual([])
  await expectPromiseKept(ledger, { ids: load.ids.filter(id => !gone.has(id)) })
})

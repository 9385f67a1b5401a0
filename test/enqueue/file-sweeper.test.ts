import { existsSync, mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { addJob } from '../../src/enqueue/addition.ts'
import { sweepAgain } from '../../src/enqueue/file-sweeps.ts'
import { sweepFiles, type Removed, type SweepOptions } from '../../src/enqueue/file-sweeper.ts'
import type { FileRef } from '../../src/file-ref.ts'
import { Flows } from '../../src/fleet/flows.ts'
import { Producer } from '../../src/fleet/producer.ts'
import { FileIndex } from '../../src/redis/file-index.ts'
import { IdempotencyKeys } from '../../src/redis/idempotency.ts'
import { takeIn } from '../../src/store/intake.ts'
import { openStores, type Stores } from '../../src/store/stores.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

const PREFIX = 'test'
const KEEP = { removeOnComplete: false, removeOnFail: false } as const

let redis: TestRedis
let client: Redis
let folder: string
let stores: Stores
let queue: Queue
let index: FileIndex
beforeAll(async () => {
  redis = await startRedis()
  client = redis.client()
  folder = mkdtempSync(join(tmpdir(), 'sweep-'))
  stores = openStores({ cwd: folder, store: 'dir:up', stores: { old: 'dir:old' } })
  queue = new Queue('q', { connection: client, prefix: PREFIX })
  index = new FileIndex(client, PREFIX)
})
afterAll(async () => {
  await queue.close()
  await redis.stop()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  await redis.flush()
  rmSync(join(folder, 'up'), { recursive: true, force: true })
})

const HOUR = 3_600_000
const DAY = 24 * HOUR
const pathOf = ({ $file }: FileRef) => join(folder, $file.replace(/^uploads/, 'up'))
const isThere = (ref: FileRef) => existsSync(pathOf(ref))

async function stored(age = 0): Promise<FileRef> {
  const ref = await takeIn(stores.uploads, Readable.from([Buffer.from('a,b')]), { fileName: 'a.csv' })
  const at = (Date.now() - age) / 1000
  if (age > 0) utimesSync(pathOf(ref), at, at)
  return ref
}

/** As if all that is written down by now had been an hour ago. */
async function letTimePass(): Promise<void> {
  const key = `${PREFIX}:runner:files`
  const all = await client.zrange(key, '0', '-1')
  await client.del(key)
  for (const text of all) {
    const [place, at, ...rest] = text.split(' ')
    await client.zadd(key, '0', [place, Number(at) - HOUR, ...rest].join(' '))
  }
}

async function sweep(options: Partial<SweepOptions> = {}) {
  const removed: Removed[] = []
  const errors: string[] = []
  const swept = await sweepFiles({
    client,
    prefix: PREFIX,
    stores,
    orphanAge: DAY,
    neededByRuns: async () => new Set(),
    onRemoved: one => removed.push(one),
    onError: place => errors.push(place),
    ...options,
  })
  return { ...swept, files: removed, errors }
}

const nothing = { removed: 0, unfinished: 0, files: [], errors: [] }

describe('a file of jobs', () => {
  it('stays while its job is in Redis, whatever its state, and goes with the last of them', async () => {
    const ref = await stored(3 * DAY)
    const first = await addJob(queue, 'act', { file: ref }, { ...KEEP, delay: HOUR })
    const second = await addJob(queue, 'act', { deep: [{ file: ref }] }, { ...KEEP, jobId: 'second' })
    expect(second).toEqual({ id: 'second', name: 'act', added: true })
    await letTimePass()
    expect(await sweep()).toEqual(nothing)
    await (await queue.getJob(first.id))!.remove()
    expect(await sweep()).toEqual(nothing)
    expect(await index.of(ref.$file)).toEqual([
      { place: ref.$file, queue: 'q', id: 'second', at: expect.any(Number) },
    ])
    await (await queue.getJob('second'))!.remove()
    expect(await sweep({ dryRun: true })).toMatchObject({ removed: 1 })
    expect(isThere(ref)).toBe(true)
    expect(await sweep()).toEqual({
      removed: 1,
      unfinished: 0,
      files: [{ place: ref.$file, why: 'jobs gone' }],
      errors: [],
    })
    expect(isThere(ref)).toBe(false)
    expect(await client.exists(`${PREFIX}:runner:files`)).toBe(0)
  })

  it('stays while its job is being added', async () => {
    const ref = await stored(3 * DAY)
    await index.add([{ place: ref.$file, queue: 'q', id: 'soon' }])
    expect(await sweep()).toEqual(nothing)
    expect(isThere(ref)).toBe(true)
  })

  it("stays while a try that died may be made again with its Idempotency-Key, and then is the job's alone", async () => {
    const ref = await stored(3 * DAY)
    const keys = new IdempotencyKeys(client, PREFIX)
    const first = await keys.begin('key', 'print', 1)
    if (first.state !== 'begun') throw new Error(first.state)
    await first.turn.intend(JSON.stringify({ queue: 'q', payload: { file: ref } }))
    // The use of a job that was never added.
    await index.add([{ place: ref.$file, queue: 'q', id: 'job' }])
    await first.turn.abandon()
    await letTimePass()
    expect(await sweep()).toEqual(nothing)
    expect(isThere(ref)).toBe(true)
    const second = await keys.begin('key', 'print')
    if (second.state !== 'begun') throw new Error(second.state)
    await addJob(queue, 'act', (JSON.parse(second.turn.intent!) as { payload: object }).payload, {
      ...KEEP,
      jobId: 'job',
    })
    await second.turn.finish('{}')
    await letTimePass()
    expect(await sweep()).toEqual(nothing)
    await (await queue.getJob('job'))!.remove()
    expect(await sweep()).toMatchObject({ files: [{ place: ref.$file, why: 'jobs gone' }] })
  })

  it('stays when somebody writes another use of it down while its jobs are looked at', async () => {
    const ref = await stored(3 * DAY)
    await index.add([{ place: ref.$file, queue: 'q', id: 'gone' }])
    await letTimePass()
    const swept = await sweep({
      neededByRuns: async () => {
        await index.add([{ place: ref.$file, queue: 'q', id: 'new' }])
        return new Set()
      },
    })
    expect(swept).toEqual(nothing)
    expect(isThere(ref)).toBe(true)
  })

  it('stays while a run of a migration needs it', async () => {
    const [ref, orphan] = [await stored(3 * DAY), await stored(3 * DAY)]
    await index.add([{ place: ref.$file, queue: 'q', id: 'gone' }])
    await letTimePass()
    expect(await sweep({ neededByRuns: async places => new Set(places) })).toEqual(nothing)
    const unknown = async () => Promise.reject(new Error('the database is away'))
    await expect(sweep({ neededByRuns: unknown })).rejects.toThrow('the database is away')
    expect([isThere(ref), isThere(orphan)]).toEqual([true, true])
    expect(await sweep()).toMatchObject({ removed: 2 })
  })

  it('is known by the jobs that handlers add, alone and in flows, and by no job without files', async () => {
    const producer = new Producer(
      { connection: client, prefix: PREFIX, telemetry: undefined },
      () => {},
      () => client,
    )
    const [one, two] = [await stored(), await stored()]
    const entry = { name: 'act', file: 'act.ts', kind: 'job', queue: 'q' } as const
    const id = await producer.add(entry, JSON.stringify({ file: one }), {})
    const plain = await producer.add(entry, '{}', {})
    expect(plain).toMatch(/^\d+$/)
    const flows = new Flows(
      () => redis.client(),
      PREFIX,
      () => {},
    )
    const child = { name: 'act', payload: JSON.stringify({ file: two }), options: {}, children: [] }
    const added = await flows.add({ name: 'act', payload: '{}', options: {}, children: [child] }, () => entry)
    await flows.close()
    await producer.close()
    expect((await index.of(one.$file)).map(use => use.id)).toEqual([id])
    expect((await index.of(two.$file)).map(use => use.id)).toEqual([added.children[0]!.id])
    expect(await index.alive(await index.of(two.$file))).toHaveLength(1)
    expect(await queue.getJob(id)).toMatchObject({ data: { file: one } })
    await stores.uploads.store.remove(stores.of(one).key)
    await stores.uploads.store.remove(stores.of(two).key)
  })

  it('is removed from the store that it is in, and one whose store is not known is told of', async () => {
    const ref = await takeIn(stores.named('old'), Readable.from([Buffer.from('a')]), { fileName: 'a' })
    const lost = ref.$file.replace('old/', 'elsewhere/')
    await index.add([ref.$file, lost].map(place => ({ place, queue: 'q', id: 'gone' })))
    await letTimePass()
    const swept = await sweep()
    expect(swept.files).toEqual([{ place: ref.$file, why: 'jobs gone' }])
    expect(swept.errors).toEqual([lost])
  })

  it('is found among thousands, a page at a time', async () => {
    const uses = Array.from({ length: 1_010 }, (_, i) => ({
      place: `uploads/2020/01/01/${String(i % 10).padStart(8, '0')}-0000-0000-0000-000000000000`,
      queue: 'q',
      id: `${i}`,
    }))
    await index.add(uses)
    const sizes: number[] = []
    for await (const some of index.all()) sizes.push(some.length)
    expect(sizes).toEqual(Array(10).fill(101))
    await letTimePass()
    expect(await sweep()).toMatchObject({ removed: 10 })
    expect(await client.exists(`${PREFIX}:runner:files`)).toBe(0)
  })
})

it('removes a file that nobody has ever referred to when it is old enough, and not before', async () => {
  const [young, old] = [await stored(HOUR), await stored(2 * DAY)]
  expect(await sweep()).toMatchObject({ files: [{ place: old.$file, why: 'orphan' }] })
  expect([isThere(young), isThere(old)]).toEqual([true, false])
  expect(await sweep({ orphanAge: HOUR / 2 })).toMatchObject({ removed: 1 })
})

it('sweeps again and again, also after one that failed, until it is told to end', async () => {
  const stop = new AbortController()
  const old = await stored(2 * DAY)
  const [failed, swept]: [unknown[], number[]] = [[], []]
  const ended = sweepAgain({
    client,
    prefix: PREFIX,
    stores,
    orphanAge: DAY,
    neededByRuns: async () => {
      if (failed.length === 0) throw new Error('the database is away')
      return new Set()
    },
    onError: () => undefined,
    signal: stop.signal,
    every: 10,
    onSwept: ({ removed }) => void swept.push(removed),
    onFailed: error => void failed.push(error),
  })
  await expect.poll(() => swept.length).toBeGreaterThan(1)
  stop.abort()
  await ended
  expect(failed).toEqual([new Error('the database is away')])
  expect(swept[0]).toBe(1)
  expect(isThere(old)).toBe(false)
})

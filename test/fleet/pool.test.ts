/** Which executor gets which run, against executors that are played by the test. */
import { expect, it } from 'vitest'
import type { Executor } from '../../src/fleet/executor.ts'
import type { FleetJob } from '../../src/fleet/fleet-job.ts'
import { Pool, type PoolEvents } from '../../src/fleet/pool.ts'
import type { OpenPort } from '../../src/fleet/port.ts'
import { FROM, TO, readRecord, record } from '../../src/fleet/protocol.ts'
import { Run, type Outcome, type Placement } from '../../src/fleet/run.ts'
import type { JobEntry } from '../../src/job/manifest.ts'

interface Played {
  /** Numbers of the runs it was given. */
  started: number[]
  /** Lets it end, where it does not when it is told to. */
  release(): void
  say(kind: string, head?: number, body?: string): void
}

function poolOfOne({ ends = true, ...events }: Partial<PoolEvents> & { ends?: boolean } = {}): {
  pool: Pool
  executors: Played[]
} {
  const executors: Played[] = []
  const released = Promise.withResolvers<void>()
  const open: OpenPort = (_init, { onRecord, onExit }) => {
    const started: number[] = []
    executors.push({
      started,
      release: released.resolve,
      say: (kind, head, body) => onRecord(record(kind, head ?? '', body)),
    })
    return {
      send: text => {
        const { kind, head } = readRecord(text)
        if (kind === TO.start) started.push((JSON.parse(head) as [number])[0])
      },
      glance: () => undefined,
      beats: 0,
      sight: () => Promise.reject(new Error('unused')),
      end: async () => {
        if (!ends) await released.promise
        onExit({ cause: 'exit', message: 'was ended' })
      },
    }
  }
  const init = { files: [], logLevel: 'silent', redact: [], memory: 0 }
  const pool = new Pool({ size: 1, open, init, prefix: 'bull' }, {
    onStart: () => undefined,
    onExecutorEnd: () => undefined,
    ...events,
  } as unknown as PoolEvents)
  void pool.boot()
  return { pool, executors }
}

const MANIFEST = JSON.stringify({ jobs: [], broken: [] })
const DROPPED: Outcome = { kind: 'dropped', reason: 'lock lost' }

function runOf(seq: number, placement: Placement): Run {
  const job = {
    name: 'a',
    id: String(seq),
    queueName: 'q',
    attemptsMade: 0,
    attemptsStarted: 1,
    payload: '{}',
  }
  const entry = { name: 'a', kind: 'job' } as JobEntry
  return new Run(seq, job as FleetJob, 'token', entry, placement, () => undefined)
}

it.each([
  ['shared', 'shared'],
  ['of its own', 'solo'],
  ['that is a process of its own', 'solo-process'],
] as const)('never starts a run that was dropped while it waited for an executor %s', (_what, placement) => {
  const { pool, executors } = poolOfOne()
  const [first, dropped, next] = [runOf(1, placement), runOf(2, placement), runOf(3, placement)]
  for (const run of [first, dropped, next]) pool.dispatch(run)
  dropped.settle(DROPPED)
  const executor = executors.at(-1) as Played
  executor.say(FROM.ready, undefined, MANIFEST)
  executor.say(FROM.done, 1)
  executor.say(FROM.done, 3)
  expect(executor.started).toEqual([1, 3])
  expect(next.settled).toBe(true)
})

it('is free again once a run is over that had been dropped', () => {
  const { pool, executors } = poolOfOne()
  const [dropped, next] = [runOf(1, 'solo'), runOf(2, 'solo')]
  for (const run of [dropped, next]) pool.dispatch(run)
  const executor = executors.at(-1) as Played
  executor.say(FROM.ready, undefined, MANIFEST)
  dropped.settle(DROPPED)
  expect(executor.started).toEqual([1])
  executor.say(FROM.done, 1)
  expect(executor.started).toEqual([1, 2])
})

it('counts what a migration committed also when its run had been dropped, and logs no line of that', () => {
  const told: unknown[] = []
  const { pool, executors } = poolOfOne({
    onMigrated: ({ job }, progress) => told.push([job.id, progress]),
    onLog: (_run, row) => told.push(row),
  })
  const dropped = runOf(1, 'shared')
  pool.dispatch(dropped)
  const executor = executors.at(-1) as Played
  executor.say(FROM.ready, undefined, MANIFEST)
  dropped.settle(DROPPED)
  executor.say(FROM.migrated, 1, '{"rows":7,"batch":7}')
  executor.say(FROM.log, 1, 'a line')
  expect(told).toEqual([['1', { rows: 7, batch: 7 }]])
})

it('settles the runs of an executor that does not end, gives its place to another, and counts it until it is gone', async () => {
  const abandoned = Promise.withResolvers<number>()
  const { pool, executors } = poolOfOne({ ends: false, onAbandoned: (_, count) => abandoned.resolve(count) })
  const [stuck, next] = [runOf(1, 'shared'), runOf(2, 'shared')]
  pool.dispatch(stuck)
  const [first] = executors as [Played]
  first.say(FROM.ready, undefined, MANIFEST)
  const ended = pool.end(pool.executors[0] as Executor, { reason: 'told to' })
  pool.dispatch(next)
  expect(stuck.settled).toBe(false)
  expect(await abandoned.promise).toBe(1)
  await ended
  expect(stuck.settled).toBe(true)
  const [, second] = executors as [Played, Played]
  second.say(FROM.ready, undefined, MANIFEST)
  expect(second.started).toEqual([2])
  expect(pool.lingering).toBe(2)
  // Its end concerns nobody any more.
  first.release()
  await expect.poll(() => pool.lingering).toBe(1)
  expect(executors).toHaveLength(2)
})

it('replaces an executor that goes on until the new one is ready, and ends it when it holds nothing', async () => {
  const { pool, executors } = poolOfOne()
  const [first] = executors as [Played]
  first.say(FROM.ready, undefined, MANIFEST)
  const old = pool.executors[0] as Executor
  pool.dispatch(runOf(1, 'shared'))
  const recycled = pool.recycle(old)
  pool.dispatch(runOf(2, 'shared'))
  const [, second] = executors as [Played, Played]
  second.say(FROM.ready, undefined, MANIFEST)
  expect(await recycled).toBe(true)
  pool.dispatch(runOf(3, 'shared'))
  expect([first.started, second.started]).toEqual([[1, 2], [3]])
  first.say(FROM.done, 1)
  expect(pool.executors).toHaveLength(2)
  first.say(FROM.done, 2)
  await old.over
  expect(pool.executors).toHaveLength(1)
})

it('keeps an executor whose successor does not boot', async () => {
  const { pool, executors } = poolOfOne()
  const [first] = executors as [Played]
  first.say(FROM.ready, undefined, MANIFEST)
  const old = pool.executors[0] as Executor
  const recycled = pool.recycle(old)
  await pool.end(pool.executors[1] as Executor, { reason: 'played' })
  expect(await recycled).toBe(false)
  pool.dispatch(runOf(1, 'shared'))
  expect(first.started).toEqual([1])
  expect(pool.executors).toEqual([old])
})

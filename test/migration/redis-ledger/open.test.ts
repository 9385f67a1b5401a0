/** A ledger in Redis: the same contract where there is no SQL, at least once. */
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { z } from 'zod'
import { csv } from '../../../src/migration/csv.ts'
import { openLedgerOf } from '../../../src/migration/databases.ts'
import type { MigrationOptions } from '../../../src/migration/definition.ts'
import { keyset } from '../../../src/migration/keyset.ts'
import type { Ledger } from '../../../src/migration/ledger.ts'
import { unattended } from '../../../src/migration/reconciliation.ts'
import { MigrationDriver } from '../../helpers/migration-driver.ts'
import { startRedis, type TestRedis } from '../../helpers/redis.ts'
import { poison } from '../../helpers/users-migration.ts'

interface Line {
  n: string
}

const ROWS = 1_000

let redis: TestRedis
let folder: string
let file: string
let ledger: Ledger
const seen = new Map<string, number>()

beforeAll(async () => {
  redis = await startRedis()
  folder = mkdtempSync(join(tmpdir(), 'redis-ledger-'))
  file = join(folder, 'lines.csv')
  writeFileSync(file, ['n', ...Array.from({ length: ROWS }, (_, i) => String(i)), ''].join('\n'))
  ledger = await openLedgerOf('test', { test: redis.url })
})
beforeEach(async () => {
  seen.clear()
  await redis.flush()
})
afterAll(async () => {
  await ledger.db.close()
  await redis.stop()
  rmSync(folder, { recursive: true, force: true })
})

const open = async (options: Partial<MigrationOptions<Line>> = {}) =>
  MigrationDriver.openOn<Line, z.ZodType>(redis.url, ledger, {
    effects: 'external',
    source: csv<Line>(file),
    shards: 4,
    ...(options.each === undefined && {
      batch: ({ rows, emit }) => {
        for (const { n } of rows) seen.set(n, (seen.get(n) ?? 0) + 1)
        emit(rows.length)
      },
    }),
    ...options,
  })

const expectOnce = () => {
  expect(seen.size).toBe(ROWS)
  expect([...seen.values()].every(times => times === 1)).toBe(true)
}

it('runs from beginning to end; enqueued again it has succeeded, unless it is to be again', async () => {
  const driver = await open()
  const run = await driver.run()
  expect(run).toMatchObject({ state: 'succeeded', shards: 4 })
  expect(run.estimate).toBeGreaterThan(0.9 * ROWS)
  expectOnce()
  expect(await driver.rows(run.id)).toBe(ROWS)
  const outputs = (await ledger.failures.outputs(run.id)) as number[]
  expect(outputs.reduce((sum, rows) => sum + rows, 0)).toBe(ROWS)
  expect(await driver.enqueue()).toEqual({ run: run.id, enrolment: 'succeeded' })
})

it('two that enqueue it at once have one run', async () => {
  const driver = await open()
  const both = await Promise.all([driver.enqueue(), driver.enqueue(), driver.enqueue()])
  expect(new Set(both.map(({ run }) => run)).size).toBe(1)
  expect(both.filter(({ enrolment }) => enrolment === 'new')).toHaveLength(1)
})

it('a failed run goes on where it stopped', async () => {
  const driver = await open({ slice: 0, shards: 1 })
  const { run } = await driver.enqueue()
  await driver.take(`${run}-plan`)
  await driver.take(`${run}-0`)
  const done = seen.size
  expect(done).toBe(100)
  await ledger.runs.move(run, ['running'], 'failed', 'for a test')
  driver.queued.clear()
  expect(await driver.enqueue()).toEqual({ run, enrolment: 'resumed' })
  await driver.drain()
  expect(await ledger.runs.get(run)).toMatchObject({ state: 'succeeded', error: null })
  expectOnce()
})

it('refuses a slice whose shard was claimed meanwhile: what it emitted is not kept', async () => {
  const gate = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  let calls = 0
  const driver = await open({
    shards: 1,
    batch: async ({ rows, emit }) => {
      emit(rows.length)
      if (++calls > 1) return
      reached.resolve()
      await gate.promise
    },
  })
  const { run } = await driver.enqueue()
  await driver.take(`${run}-plan`)
  const zombie = driver.take(`${run}-0`)
  await reached.promise
  await driver.perform(`${run}-0`, { $migration: { run, part: 0 } })
  gate.resolve()
  await zombie
  await driver.drain()
  expect(await driver.rows(run)).toBe(ROWS)
  const outputs = (await ledger.failures.outputs(run)) as number[]
  expect(outputs.reduce((sum, rows) => sum + rows, 0)).toBe(ROWS)
})

it('steps over rows that throw, and tries them again', async () => {
  let isBroken = true
  const driver = await open({
    each: ({ n }) => {
      if (n === '42' && isBroken) poison(42)
      seen.set(n, (seen.get(n) ?? 0) + 1)
    },
  })
  const run = await driver.run()
  expect(run.state).toBe('succeeded')
  expect(await ledger.failures.list(run.id)).toMatchObject([{ code: 'POISON', attempts: 1 }])
  isBroken = false
  expect(await ledger.failures.markForRetry(run.id, 'POISON')).toBe(1)
  await driver.perform(`${run.id}-retry`, { $migration: { run: run.id, part: 'retry' } })
  expect(await ledger.failures.count(run.id)).toBe(0)
  expectOnce()
})

it('a shard that is halved has each row in one of its halves', async () => {
  const driver = await open({ shards: 1, slice: 0 })
  const { run } = await driver.enqueue()
  await driver.take(`${run}-plan`)
  await driver.take(`${run}-0`)
  const made = await ledger.shards.halve(run, 0, async range => {
    const [near] = await csv<Line>(file).split(ledger.db, range, 2)
    return near?.until ?? undefined
  })
  expect(made).toBe(1)
  await driver.perform(`${run}-1`, { $migration: { run, part: 1 } })
  await driver.drain()
  expect(await ledger.runs.get(run)).toMatchObject({ state: 'succeeded' })
  expectOnce()
})

it('is paused, changed and rung for again like any other', async () => {
  const driver = await open({ slice: 0 })
  const { run } = await driver.enqueue()
  expect(await unattended(ledger)).toEqual([{ run, name: 'fill', queue: 'migrations', part: 'plan' }])
  await driver.take(`${run}-plan`)
  await driver.take(`${run}-0`)
  expect((await unattended(ledger)).map(({ part }) => part)).toEqual([0, 1, 2, 3])
  await ledger.runs.set(run, { batchMax: 7, maxLag: null })
  await ledger.runs.move(run, ['running'], 'paused')
  await driver.drain()
  expect(seen.size).toBe(100)
  await ledger.runs.note(run, 'somebody', 'resume')
  await ledger.runs.move(run, ['paused'], 'running')
  for (const part of [0, 1, 2, 3]) driver.queued.set(`${run}-${part}`, { $migration: { run, part } })
  await driver.drain()
  expectOnce()
  expect(await ledger.runs.notes(run)).toMatchObject([{ who: 'somebody', what: 'resume' }])
})

it('says what it cannot do: a transaction, and SQL', async () => {
  const inside = await (await open({ effects: 'database' })).run()
  expect(inside).toMatchObject({
    state: 'failed',
    error: expect.stringContaining(`say effects: 'external'`) as string,
  })
  const walks = await (await open({ source: keyset<Line>('lines', { key: 'n' }) })).run()
  expect(walks.error ?? '').toContain('it cannot be planned')
})

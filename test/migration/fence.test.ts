/** Slices that are frozen and wake beside the one that took their shard over; and what a dead one leaves behind. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { keyset } from '../../src/migration/keyset.ts'
import type { Duration } from '../../src/units.ts'
import type { BatchContext } from '../../src/migration/definition.ts'
import {
  describeDatabases,
  makeUsers,
  startDatabase,
  touches,
  type TestDatabase,
} from '../helpers/databases.ts'
import { MigrationDriver } from '../helpers/migration-driver.ts'

interface User {
  id: number
}

const ROWS = 400

/** A row for each that waits for a lock. */
const WAITING = {
  sqlite: '',
  postgres: "select 1 from pg_stat_activity where wait_event_type = 'Lock'",
  mariadb: "select 1 from information_schema.processlist where info like 'update runner_shards set epoch%'",
}

describeDatabases(kind => {
  let server: TestDatabase
  beforeAll(async () => void (server = await startDatabase(kind)))
  beforeEach(() => makeUsers(server.db, ROWS))
  afterAll(() => server[Symbol.asyncDispose]())

  /** A run of one shard that is planned; `batch` comes after the rows were written. */
  async function planned(
    batch: (context: BatchContext<User>) => unknown = () => {},
    length: Duration = '20s',
  ) {
    const source = keyset<User>('users', { key: 'id', select: ['id'] })
    const frozen = { next: undefined as Promise<void> | undefined }
    const next = source.next.bind(source)
    source.next = async (...args) => {
      const found = await next(...args)
      await frozen.next
      return found
    }
    const driver = await MigrationDriver.open(server, {
      source,
      shards: 1,
      slice: length,
      async batch(context: BatchContext<User>) {
        for (const { id } of context.rows)
          await context.tx.query('update users set touched = touched + 1 where id = $1', [id])
        await batch(context)
      },
    })
    const { run } = await driver.enqueue({ case: expect.getState().currentTestName })
    await driver.take(`${run}-plan`)
    const part = { $migration: { run, part: 0 } }
    return { driver, run, frozen, slice: () => driver.perform(`${run}-0`, part) }
  }

  it('refuses a slice that woke between two batches, and writes no row twice', async () => {
    // Each slice is one batch.
    const { driver, run, frozen, slice } = await planned(undefined, 0)
    const gate = Promise.withResolvers<void>()
    frozen.next = gate.promise
    const zombie = slice()
    await expect.poll(async () => (await driver.ledger.shards.list(run))[0]?.held).toBe(true)
    frozen.next = undefined
    await slice()
    await slice()
    expect(await driver.rows(run)).toBeGreaterThan(50)
    gate.resolve()
    // It is told to stop, and does not come back.
    driver.queued.clear()
    await zombie
    expect([...driver.queued.keys()]).toEqual([])
    await slice()
    await driver.drain()
    expect(await touches(server.db)).toEqual({ 1: ROWS })
    expect(await driver.rows(run)).toBe(ROWS)
    expect(driver.rowsTold).toBe(ROWS)
  })

  // SQLite has one writer: the next one waits for that, and tries again.
  if (kind !== 'sqlite')
    it('a slice frozen inside its transaction makes the next one wait, and go on behind it', async () => {
      const inside = Promise.withResolvers<void>()
      const gate = Promise.withResolvers<void>()
      let calls = 0
      const { driver, run, slice } = await planned(async () => {
        if (++calls > 1) return
        inside.resolve()
        await gate.promise
      })
      const zombie = slice()
      await inside.promise
      const next = slice()
      // It waits for the row of the shard; once the zombie has committed, its own cursor is the newer one.
      await expect.poll(() => server.db.query(WAITING[kind])).toHaveLength(1)
      gate.resolve()
      await Promise.all([zombie, next])
      await driver.drain()
      expect(await driver.ledger.runs.get(run)).toMatchObject({ state: 'succeeded' })
      expect(await touches(server.db)).toEqual({ 1: ROWS })
      expect(await driver.rows(run)).toBe(ROWS)
      expect(driver.rowsTold).toBe(ROWS)
    })

  it('steps over the row that slices died of, when it is alone, and writes all others once', async () => {
    const { driver, run } = await planned()
    // Each claims, and never says that it ended.
    const { shards } = driver.ledger
    for (let death = 0; death < 7; death++) await shards.claim(run, 0, `dead-${death}`)
    expect((await shards.list(run))[0]).toMatchObject({ batchSize: 1, rows: 0 })
    await driver.perform(`${run}-0`, { $migration: { run, part: 0 } })
    await driver.drain()
    expect(await driver.ledger.runs.get(run)).toMatchObject({ state: 'succeeded' })
    expect(await driver.ledger.failures.list(run)).toMatchObject([{ key: ['3'], code: 'JOB_CRASHED' }])
    expect(await touches(server.db)).toEqual({ 0: 1, 1: ROWS - 1 })
  })

  it('keeps the cursor where it was when a batch is rolled back', async () => {
    let calls = 0
    const { driver, run, slice } = await planned(() => {
      if (++calls === 1) throw new Error('once')
    })
    await slice()
    await driver.drain()
    expect(await touches(server.db)).toEqual({ 1: ROWS })
    expect(await driver.rows(run)).toBe(ROWS)
    expect(driver.rowsTold).toBe(ROWS)
    expect(await driver.ledger.failures.count(run)).toBe(0)
  })
})

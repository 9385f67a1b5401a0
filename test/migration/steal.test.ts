/** Shards that are halved while they are worked: nobody waits for the last one, and no row is in both halves. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { keyset } from '../../src/migration/keyset.ts'
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

const ROWS = 3_000

describeDatabases(
  kind => {
    let server: TestDatabase
    beforeAll(async () => void (server = await startDatabase(kind)))
    afterAll(() => server[Symbol.asyncDispose]())

    async function planned(batch: (context: BatchContext<User>) => unknown = () => {}) {
      await makeUsers(server.db, ROWS)
      const source = keyset<User>('users', { key: 'id', select: ['id'] })
      const driver = await MigrationDriver.open(server, {
        source,
        shards: 2,
        slice: 0,
        async batch(context: BatchContext<User>) {
          for (const { id } of context.rows)
            await context.tx.query('update users set touched = touched + 1 where id = $1', [id])
          await batch(context)
        },
      })
      const { run } = await driver.enqueue({ case: expect.getState().currentTestName })
      await driver.take(`${run}-plan`)
      return { driver, run, source }
    }

    it('halves the largest shard that is left when one is done', async () => {
      // So slow that half of what is left is worth a slice of its own.
      const { driver, run } = await planned(() => sleep(150))
      // Only the first is worked until it is done.
      while (driver.queued.has(`${run}-0`)) await driver.take(`${run}-0`)
      const shards = await driver.ledger.shards.list(run)
      expect(shards.map(({ open }) => open)).toEqual([false, true, true])
      expect(shards[1]?.until).toEqual(shards[2]?.cursor)
      expect(Number(shards[1]?.until?.[0])).toBeCloseTo((ROWS * 3 * 3) / 4, -2)
      expect(driver.queued.has(`${run}-2`)).toBe(true)
      await driver.drain()
      expect(await driver.ledger.runs.get(run)).toMatchObject({ state: 'succeeded' })
      expect(await touches(server.db)).toEqual({ 1: ROWS })
      expect(await driver.rows(run)).toBe(ROWS)
    })

    it('rolls back a batch of the victim that reaches into what was taken', async () => {
      const { driver, run, source } = await planned()
      const next = source.next.bind(source)
      const cut = Promise.withResolvers<void>()
      const gate = Promise.withResolvers<void>()
      source.next = async (...args) => {
        const found = await next(...args)
        if (args[1].after?.[0] === '4500') {
          cut.resolve()
          await gate.promise
        }
        return found
      }
      const payload = (part: number) => ({ $migration: { run, part } })
      const victim = driver.perform(`${run}-1`, payload(1))
      driver.queued.delete(`${run}-1`)
      // Its first batch is cut, up to 4800, and not begun.
      await cut.promise
      expect(await driver.ledger.shards.halve(run, 1, async () => ['4590'])).toBe(2)
      await driver.perform(`${run}-2`, payload(2))
      gate.resolve()
      await victim
      source.next = next
      await driver.drain()
      expect(await driver.ledger.runs.get(run)).toMatchObject({ state: 'succeeded' })
      expect(await touches(server.db)).toEqual({ 1: ROWS })
      expect(await driver.rows(run)).toBe(ROWS)
    })

    it('two that take from one shard at the same moment get a part each', async () => {
      const { driver, run } = await planned()
      const { shards } = driver.ledger
      const source = keyset('users', { key: 'id' })
      const middle = async (range: Parameters<typeof source.split>[1]) =>
        (await source.split(server.db, range, 2))[0]?.until ?? undefined
      const made = await Promise.all([shards.halve(run, 1, middle), shards.halve(run, 1, middle)])
      for (const shard of made)
        if (shard !== undefined) driver.queued.set(`${run}-${shard}`, { $migration: { run, part: shard } })
      expect(made.filter(shard => shard !== undefined).length).toBeGreaterThanOrEqual(1)
      await driver.drain()
      expect(await touches(server.db)).toEqual({ 1: ROWS })
      expect(await driver.rows(run)).toBe(ROWS)
    })
  },
  ['sqlite', 'postgres'],
)

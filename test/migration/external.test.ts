/** What is done elsewhere: the cursor moves when it is done, and each row is given at least once. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, startDatabase, type TestDatabase } from '../helpers/databases.ts'
import { openUsers, poison, resetUsers, ROWS, type User } from '../helpers/users-migration.ts'

describeDatabases(
  kind => {
    let server: TestDatabase
    beforeAll(async () => void (server = await startDatabase(kind)))
    beforeEach(() => resetUsers(server))
    afterAll(() => server[Symbol.asyncDispose]())

    it('gives each row once when nothing fails, with a key that names it, and without a transaction', async () => {
      const keys: string[] = []
      const driver = await openUsers(server, {
        effects: 'external',
        verify: () => true,
        batch: async ({ rows, key, tx, emit }) => {
          for (const user of rows) keys.push(key(user))
          await expect(tx.query('select 1')).rejects.toThrow(`effects: 'external' has no transaction`)
          emit(rows.length)
        },
      })
      const run = await driver.run()
      expect(run).toMatchObject({ state: 'succeeded' })
      expect(keys).toHaveLength(ROWS)
      expect(new Set(keys).size).toBe(ROWS)
      expect(keys).toContain(`${run.id}:42`)
      expect(await driver.rows(run.id)).toBe(ROWS)
      expect(driver.rowsTold).toBe(ROWS)
      const outputs = (await driver.ledger.failures.outputs(run.id)) as number[]
      expect(outputs.reduce((sum, rows) => sum + rows, 0)).toBe(ROWS)
    })

    it('each: steps over one that throws, and tries it again when it is told to', async () => {
      let isBroken = true
      const seen = new Map<number, number>()
      const driver = await openUsers(server, {
        effects: 'external',
        verify: () => true,
        each: ({ id }: User) => {
          if (id === 42 && isBroken) poison(id)
          seen.set(id, (seen.get(id) ?? 0) + 1)
        },
      })
      const run = await driver.run()
      expect(await driver.ledger.failures.list(run.id)).toMatchObject([{ key: ['42'], code: 'POISON' }])
      expect(seen.size).toBe(ROWS - 1)
      isBroken = false
      expect(await driver.ledger.failures.markForRetry(run.id, undefined)).toBe(1)
      await driver.perform(`${run.id}-retry`, { $migration: { run: run.id, part: 'retry' } })
      expect(await driver.ledger.failures.count(run.id)).toBe(0)
      expect([...seen.values()].filter(times => times !== 1)).toEqual([])
      expect(seen.size).toBe(ROWS)
    })

    it('a zombie that was fenced meanwhile keeps nothing in the ledger', async () => {
      const gate = Promise.withResolvers<void>()
      const reached = Promise.withResolvers<void>()
      let calls = 0
      const driver = await openUsers(server, {
        effects: 'external',
        shards: 1,
        verify: () => true,
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
      expect(await driver.ledger.runs.get(run)).toMatchObject({ state: 'succeeded' })
      expect(await driver.rows(run)).toBe(ROWS)
      const outputs = (await driver.ledger.failures.outputs(run)) as number[]
      expect(outputs.reduce((sum, rows) => sum + rows, 0)).toBe(ROWS)
    })

    it('what was done before a pause is kept: it is not done again', async () => {
      const seen: number[] = []
      const driver = await openUsers(server, {
        effects: 'external',
        shards: 1,
        verify: () => true,
        batch: async ({ rows }) => {
          for (const { id } of rows) seen.push(id)
          const [run] = await driver.ledger.runs.list()
          if (seen.length === rows.length) await driver.ledger.runs.move(run?.id ?? '', ['running'], 'paused')
        },
      })
      const { run } = await driver.enqueue()
      await driver.drain()
      expect(seen).toHaveLength(100)
      expect(await driver.rows(run)).toBe(100)
      await driver.ledger.runs.move(run, ['paused'], 'running')
      await driver.perform(`${run}-0`, { $migration: { run, part: 0 } })
      await driver.drain()
      expect(seen).toHaveLength(ROWS)
      expect(new Set(seen).size).toBe(ROWS)
    })
  },
  ['sqlite', 'postgres'],
)

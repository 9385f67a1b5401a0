/** The engine on real databases, part by part: every row is written once, whatever happens in between. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import type { MigrationOptions } from '../../src/migration/definition.ts'
import { keyset } from '../../src/migration/keyset.ts'
import { once } from '../../src/migration/once.ts'
import { pages } from '../../src/migration/pages.ts'
import {
  EITHER_DATABASE,
  describeDatabases,
  startDatabase,
  touches,
  type TestDatabase,
} from '../helpers/databases.ts'
import { MigrationDriver } from '../helpers/migration-driver.ts'
import { project } from '../helpers/project.ts'
import { domainOf, openUsers, resetUsers, ROWS, TOUCH, type User } from '../helpers/users-migration.ts'

describeDatabases(kind => {
  let server: TestDatabase
  beforeAll(async () => void (server = await startDatabase(kind)))
  beforeEach(() => resetUsers(server))
  afterAll(() => server[Symbol.asyncDispose]())

  const open = (options?: Partial<MigrationOptions<User>>, file?: string) => openUsers(server, options, file)

  it('writes every row once, and keeps what was emitted', async () => {
    const driver = await open()
    const run = await driver.run()
    expect(run).toMatchObject({ state: 'succeeded', estimate: ROWS, error: null })
    expect(await touches(server.db)).toEqual({ 1: ROWS })
    expect(await driver.rows(run.id)).toBe(ROWS)
    const emitted = (await driver.ledger.failures.outputs(run.id)) as number[]
    expect(emitted.reduce((sum, rows) => sum + rows, 0)).toBe(ROWS)
  })

  it('has succeeded at once where there is nothing to do', async () => {
    await server.db.query('delete from users')
    const driver = await open()
    expect(await driver.run()).toMatchObject({ state: 'succeeded', estimate: 0 })
  })

  it('hands the output of the schema to each slice', async () => {
    const seen = new Set<unknown>()
    const driver = await open({
      args: z.object({
        domain: z
          .string()
          .default('a.example')
          .transform(text => text.toUpperCase()),
      }),
      batch: ({ args }) => void seen.add((args as { domain: string }).domain),
    })
    const run = await driver.run({})
    expect(run.args).toBe('{}')
    expect([...seen]).toEqual(['A.EXAMPLE'])
  })

  it('has no batch of more rows than it was told, from the next one on', async () => {
    const sizes: number[] = []
    const driver = await open({ shards: 1, slice: 0, batch: ({ rows }) => void sizes.push(rows.length) })
    const { run } = await driver.enqueue()
    await driver.take(`${run}-plan`)
    await driver.take(`${run}-0`)
    await driver.ledger.runs.set(run, { batchMax: 7 })
    await driver.drain()
    // The next one had its size already, and is told.
    expect(sizes.slice(0, 2)).toEqual([100, 150])
    expect(Math.max(...sizes.slice(2))).toBe(7)
  })

  it.each(['warn', 'stop'] as const)(
    'changed: %s, when the file is another one in the middle',
    async changed => {
      using dir = project({ 'fill.ts': 'one' })
      const driver = await open({ shards: 1, slice: 0, changed }, dir.path('fill.ts'))
      const { run } = await driver.enqueue()
      await driver.take(`${run}-plan`)
      await driver.take(`${run}-0`)
      dir.write({ 'fill.ts': 'two' })
      await driver.drain()
      const notes = await driver.ledger.runs.notes(run)
      if (changed === 'warn') {
        expect(notes.map(({ what }) => what)).toEqual([
          expect.stringMatching(/^goes on with a changed file: /),
        ])
      } else {
        expect(await driver.ledger.runs.get(run)).toMatchObject({
          state: 'failed',
          error: 'its file was changed while it ran',
        })
        // Enqueued again, it goes on with the file as it is.
        await driver.enqueue()
        await driver.drain()
      }
      expect(await driver.ledger.runs.get(run)).toMatchObject({ state: 'succeeded' })
      expect(await touches(server.db)).toEqual({ 1: ROWS })
    },
  )

  it('pages: asks again with what came last, and writes each row once', async () => {
    const asked: (string | null)[] = []
    const driver = await open({
      source: pages<User>((cursor, limit) => {
        asked.push(cursor)
        const from = Number(cursor ?? 0)
        const rows = Array.from({ length: Math.min(limit, ROWS - from) }, (_, i) => ({
          id: (from + i + 1) * 3,
          email: `a@b${i}`,
        }))
        return { rows, next: from + rows.length === ROWS ? null : String(from + rows.length) }
      }),
    })
    const run = await driver.run()
    expect(run.state).toBe('succeeded')
    expect(await touches(server.db)).toEqual({ 1: ROWS })
    expect(await driver.rows(run.id)).toBe(ROWS)
    expect(driver.rowsTold).toBe(ROWS)
    expect(asked.slice(0, 3)).toEqual([null, '100', '250'])
  })

  it('pages: two runs of one file do not read the pages of each other', async () => {
    const given = new Map<string, number>()
    const numbers = Array.from({ length: 500 }, (_, i) => ({ n: i }))
    const driver = await MigrationDriver.open<{ n: number }, z.ZodType>(server, {
      args: z.object({ name: z.string() }),
      source: pages<{ n: number }>(async (cursor, limit) => {
        const from = Number(cursor ?? 0)
        const rows = numbers.slice(from, from + limit)
        return { rows, next: from + limit < numbers.length ? String(from + limit) : null }
      }),
      batch: ({ rows, args }) => {
        const { name } = args as { name: string }
        given.set(name, (given.get(name) ?? 0) + rows.length)
      },
    })
    const runs = [await driver.enqueue({ name: 'one' }), await driver.enqueue({ name: 'two' })]
    for (const { run } of runs) await driver.take(`${run}-plan`)
    await Promise.all(runs.map(({ run }) => driver.take(`${run}-0`)))
    await driver.drain()
    expect(Object.fromEntries(given)).toEqual({ one: 500, two: 500 })
  })

  it('once: fails the run when it fails, since it cannot be cut', async () => {
    const driver = await MigrationDriver.open(server, {
      source: once(() => [{ n: 1 }, { n: 2 }]),
      batch: () => {
        throw new Error('no such table')
      },
    })
    expect(await driver.run()).toMatchObject({
      state: 'failed',
      error: 'a batch that cannot be made smaller failed: no such table',
    })
  })

  it('once: writes what is had in one go, in one transaction', async () => {
    const driver = await open({
      args: z.object({ least: z.number() }),
      source: args =>
        once<User>(tx =>
          tx.query('select id, email from users where id > $1', [(args as { least: number }).least]),
        ),
    })
    const run = await driver.run({ least: 2_400 })
    expect(await touches(server.db)).toEqual({ 0: 800, 1: 200 })
    expect(await driver.rows(run.id)).toBe(200)
    expect(driver.told).toEqual([{ rows: 200, batch: 200 }])
  })

  it('fails when it cannot be planned', async () => {
    const driver = await open({ source: keyset<User>('nowhere', { key: 'id' }) })
    expect(await driver.run()).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/^it cannot be planned: .*nowhere/) as string,
    })
  })

  it('is one run of a name and its arguments: running, resumed, succeeded', async () => {
    const driver = await open({ args: z.object({ a: z.number().optional(), b: z.number().optional() }) })
    const both = await Promise.all([driver.enqueue({ a: 1, b: 2 }), driver.enqueue({ b: 2, a: 1 })])
    expect(new Set(both.map(({ run }) => run)).size).toBe(1)
    expect(both.map(({ enrolment }) => enrolment).sort()).toEqual(['new', 'running'])
    const other = await driver.enqueue({ a: 2 })
    expect(other).toMatchObject({ enrolment: 'new' })
    expect(other.run).not.toBe(both[0].run)
    await driver.ledger.runs.move(other.run, ['planning'], 'cancelled')
    await driver.drain()
    expect(await driver.enqueue({ a: 1, b: 2 })).toEqual({ run: both[0].run, enrolment: 'succeeded' })
    expect(await touches(server.db)).toEqual({ 1: ROWS })
    expect(await driver.enqueue({ a: 2 })).toEqual({ run: other.run, enrolment: 'resumed' })
    await driver.drain()
    expect(await driver.ledger.runs.get(other.run)).toMatchObject({ state: 'succeeded' })
    expect(await touches(server.db)).toEqual({ 2: ROWS })
  })

  it('stops within one batch when it is paused, and goes on from there', async () => {
    let batches = 0
    const driver: MigrationDriver = await open({
      shards: 1,
      batch: async ({ rows, tx }) => {
        for (const user of rows) await tx.query(TOUCH, [domainOf(user), user.id])
        batches++
      },
    })
    const { run } = await driver.enqueue()
    await driver.take(`${run}-plan`)
    await driver.ledger.runs.move(run, ['running'], 'paused')
    await driver.drain()
    expect(batches).toBe(0)
    await driver.ledger.runs.move(run, ['paused'], 'running')
    const slice = driver.perform(`${run}-0`, { $migration: { run, part: 0 } })
    await expect.poll(() => batches).toBeGreaterThan(0)
    await driver.ledger.runs.move(run, ['running'], 'paused')
    const seen = batches
    await slice
    expect(batches).toBeLessThanOrEqual(seen + 1)
    await driver.ledger.runs.move(run, ['paused'], 'running')
    await driver.perform(`${run}-0`, { $migration: { run, part: 0 } })
    await driver.drain()
    expect(await touches(server.db)).toEqual({ 1: ROWS })
  })
}, EITHER_DATABASE)

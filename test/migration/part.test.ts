/** The engine on real databases, part by part: every row is written once, whatever happens in between. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import { keyset } from '../../src/migration/keyset.ts'
import { once } from '../../src/migration/once.ts'
import { pages } from '../../src/migration/pages.ts'
import type { MigrationOptions } from '../../src/migration/definition.ts'
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
  email: string
}

const TOUCH = 'update users set touched = touched + 1, domain = $1 where id = $2'
const ROWS = 1_000
const domainOf = ({ email }: User) => email.split('@')[1]
const poison = (id: number) => {
  throw Object.assign(new Error(`user ${id} is poison`), { code: 'POISON' })
}

describeDatabases(kind => {
  let server: TestDatabase
  beforeAll(async () => void (server = await startDatabase(kind)))
  beforeEach(async () => {
    await makeUsers(server.db, ROWS)
    for (const table of ['runs', 'shards', 'failures', 'events', 'outputs'])
      await server.db.query(`drop table if exists ${server.db.dialect.table(table)}`)
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const open = (options: Partial<MigrationOptions<User>> = {}) =>
    MigrationDriver.open<User, z.ZodType>(server, {
      source: keyset<User>('users', { key: 'id', select: ['id', 'email'] }),
      shards: 4,
      ...(options.each === undefined && {
        batch: async ({ rows, tx, emit }) => {
          for (const user of rows) await tx.query(TOUCH, [domainOf(user), user.id])
          emit(rows.length)
        },
      }),
      verify: ({ db }) => db.empty('select 1 from users where domain is null and touched > 0 limit 1'),
      ...options,
    })

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

  it('batch: steps over the rows that throw, and writes all others once', async () => {
    const driver = await open({
      batch: async ({ rows, tx }) => {
        for (const user of rows) {
          await tx.query(TOUCH, [domainOf(user), user.id])
          if (user.id === 300 || user.id === 2_001) poison(user.id)
        }
      },
    })
    const run = await driver.run()
    expect(run.state).toBe('succeeded')
    expect(await touches(server.db)).toEqual({ 0: 2, 1: ROWS - 2 })
    expect(await driver.ledger.failures.list(run.id)).toMatchObject([
      { key: ['300'], error: 'user 300 is poison', code: 'POISON' },
      { key: ['2001'], error: 'user 2001 is poison', code: 'POISON' },
    ])
  })

  it('each: rolls back the row that throws, with what it wrote and emitted, and no other', async () => {
    const driver = await open({
      each: async (user, { tx, emit, key }) => {
        await tx.query(TOUCH, [domainOf(user), user.id])
        emit(key(user))
        if (user.id % 600 === 0) poison(user.id)
      },
    })
    const run = await driver.run()
    expect(await touches(server.db)).toEqual({ 0: 5, 1: ROWS - 5 })
    const emitted = await driver.ledger.failures.outputs(run.id)
    expect(emitted).toHaveLength(ROWS - 5)
    expect(emitted).toContain(`${run.id}:3`)
    expect(emitted).not.toContain(`${run.id}:600`)
    expect(await driver.ledger.failures.count(run.id)).toBe(5)
  })

  it('retries the rows that failed, each once, and those that fail again are recorded again', async () => {
    let broken = [300, 600, 900]
    const driver = await open({
      each: async (user, { tx, emit }) => {
        await tx.query(TOUCH, [domainOf(user), user.id])
        emit(user.id)
        if (broken.includes(user.id)) poison(user.id)
      },
    })
    const { id } = await driver.run()
    const { failures } = driver.ledger
    expect(await failures.count(id)).toBe(3)
    broken = [900]
    expect(await failures.markForRetry(id, 'OTHER')).toBe(0)
    expect(await failures.markForRetry(id, 'POISON')).toBe(3)
    const retry = () => driver.perform(`${id}-retry`, { $migration: { run: id, part: 'retry' } })
    await Promise.all([retry(), retry()])
    expect(await touches(server.db)).toEqual({ 0: 1, 1: ROWS - 1 })
    const [again, ...others] = await failures.list(id)
    expect(again).toMatchObject({ key: ['900'], code: 'POISON' })
    expect(again?.attempts).toBeGreaterThan(1)
    expect(others).toEqual([])
    expect(await failures.outputs(id)).toHaveLength(ROWS - 1)
  })

  it('has no batch of more rows than it was told, from the next one on', async () => {
    const sizes: number[] = []
    const driver = await open({ shards: 1, slice: 0, batch: ({ rows }) => void sizes.push(rows.length) })
    const { run } = await driver.enqueue()
    await driver.take(`${run}-plan`)
    await driver.take(`${run}-0`)
    await driver.ledger.runs.setBatchMax(run, 7)
    await driver.drain()
    // The next one had its size already, and is told.
    expect(sizes.slice(0, 2)).toEqual([100, 150])
    expect(Math.max(...sizes.slice(2))).toBe(7)
  })

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
    expect(asked.slice(0, 3)).toEqual([null, '100', '250'])
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
  })

  it('fails when more rows fail than may, and goes on where it stopped when it is enqueued again', async () => {
    let broken = true
    const driver = await open({
      each: async (user, { tx }) => {
        if (broken) poison(user.id)
        await tx.query(TOUCH, [domainOf(user), user.id])
      },
    })
    const failed = await driver.run()
    expect(failed).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/^\d+ rows failed, 100 are allowed$/) as string,
    })
    const done = await driver.rows(failed.id)
    expect(done).toBeGreaterThan(100)
    expect(done).toBeLessThan(ROWS)
    broken = false
    expect(await driver.enqueue()).toEqual({ run: failed.id, enrolment: 'resumed' })
    await driver.drain()
    expect(await driver.ledger.runs.get(failed.id)).toMatchObject({ state: 'succeeded', tolerated: done })
    expect(await touches(server.db)).toEqual({ 0: done, 1: ROWS - done })
  })

  it.each([
    ['returns false', () => false, 'verify returned false'],
    ['throws', () => poison(1), 'verify: user 1 is poison'],
  ])('fails when verify %s', async (_case, verify, error) => {
    const driver = await open({ verify })
    expect(await driver.run()).toMatchObject({ state: 'failed', error })
    expect(await touches(server.db)).toEqual({ 1: ROWS })
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

  it('takes smaller batches through a storm of timeouts, and larger ones after it', async () => {
    let calls = 0
    const sizes: number[] = []
    const driver = await open({
      shards: 1,
      batch: async ({ rows, tx }) => {
        sizes.push(rows.length)
        if (++calls <= 4) throw Object.assign(new Error('canceling statement'), TIMEOUT[kind])
        for (const user of rows) await tx.query(TOUCH, [domainOf(user), user.id])
      },
    })
    expect(await driver.run()).toMatchObject({ state: 'succeeded' })
    expect(sizes.slice(0, 5)).toEqual([100, 50, 25, 12, 6])
    expect(Math.max(...sizes.slice(5))).toBeGreaterThan(50)
    expect(await touches(server.db)).toEqual({ 1: ROWS })
  })
})

const TIMEOUT = { postgres: { code: '57014' }, sqlite: { errcode: 5 } }

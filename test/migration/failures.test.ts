/** Rows and batches that fail: what is stepped over, what is tried again, and when a run gives up. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { MigrationOptions } from '../../src/migration/definition.ts'
import {
  EITHER_DATABASE,
  describeDatabases,
  startDatabase,
  touches,
  type TestDatabase,
} from '../helpers/databases.ts'
import {
  domainOf,
  openUsers,
  poison,
  resetUsers,
  ROWS,
  TOUCH,
  type User,
} from '../helpers/users-migration.ts'

describeDatabases(kind => {
  let server: TestDatabase
  beforeAll(async () => void (server = await startDatabase(kind)))
  beforeEach(() => resetUsers(server))
  afterAll(() => server[Symbol.asyncDispose]())

  const open = (options?: Partial<MigrationOptions<User>>, file?: string) => openUsers(server, options, file)

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
    // What was rolled back is not told, and what was stepped over is.
    expect(driver.rowsTold).toBe(ROWS)
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

  it('gives up when more than half of the last 50 batches fail, and goes on where it stopped', async () => {
    let broken = true
    const driver = await open({
      shards: 1,
      batch: async ({ rows, tx }) => {
        if (broken) poison(rows[0]?.id ?? 0)
        for (const user of rows) await tx.query(TOUCH, [domainOf(user), user.id])
      },
    })
    const failed = await driver.run()
    expect(failed).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(
        /^more than half of the last 50 batches failed, the last one by: user \d+ is poison$/,
      ) as string,
    })
    const passed = await driver.ledger.failures.count(failed.id)
    expect(passed).toBeLessThan(50)
    broken = false
    await driver.enqueue()
    await driver.drain()
    expect(await driver.ledger.runs.get(failed.id)).toMatchObject({ state: 'succeeded' })
    expect(await touches(server.db)).toEqual({ 0: passed, 1: ROWS - passed })
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

  it.each([
    ['a NUL in its message', () => new Error('bad \0 byte')],
    ['nothing', () => undefined],
    ['a text', () => 'just a text'],
  ])('records a row that throws %s', async (_what, thrown) => {
    const driver = await open({
      batch: ({ rows }) => {
        // eslint-disable-next-line typescript/only-throw-error
        if (rows.some(({ id }) => id === 42)) throw thrown()
      },
    })
    const run = await driver.run()
    const [failure] = await driver.ledger.failures.list(run.id)
    expect(failure?.key).toEqual(['42'])
    expect(failure?.error).not.toContain('\0')
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
}, EITHER_DATABASE)

const TIMEOUT = {
  postgres: { code: '57014' },
  sqlite: { errcode: 5 },
  mariadb: { code: 'ER_LOCK_WAIT_TIMEOUT' },
}

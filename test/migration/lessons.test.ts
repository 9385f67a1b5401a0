/** What others paid for, each with the oracle: a counter in every row. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { BatchContext } from '../../src/migration/definition.ts'
import { keyset } from '../../src/migration/keyset.ts'
import { unattended } from '../../src/migration/reconciliation.ts'
import { LEASE } from '../../src/migration/shard-ledger.ts'
import { describeDatabases, startDatabase, touches, type TestDatabase } from '../helpers/databases.ts'
import { openUsers, resetUsers, ROWS, TOUCH, type User } from '../helpers/users-migration.ts'

const touch = async ({ rows, tx }: BatchContext<User>) => {
  for (const { id } of rows) await tx.query(TOUCH, ['x', id])
}

describeDatabases(kind => {
  let server: TestDatabase
  beforeAll(async () => void (server = await startDatabase(kind)))
  beforeEach(() => resetUsers(server))
  afterAll(() => server[Symbol.asyncDispose]())

  /** One shard that is planned. */
  async function planned(options: Parameters<typeof openUsers>[1]) {
    const driver = await openUsers(server, { shards: 1, ...options })
    const { run } = await driver.enqueue()
    await driver.take(`${run}-plan`)
    const shard = async () => (await driver.ledger.shards.list(run))[0]
    const slice = (signal?: AbortSignal) =>
      driver.perform(`${run}-0`, { $migration: { run, part: 0 } }, signal)
    return { driver, run, shard, slice }
  }

  async function expectOnce({ driver, run }: Pick<Awaited<ReturnType<typeof planned>>, 'driver' | 'run'>) {
    driver.queued.set(`${run}-0`, { $migration: { run, part: 0 } })
    await driver.drain()
    expect(await driver.ledger.runs.get(run)).toMatchObject({ state: 'succeeded' })
    expect(await touches(server.db)).toEqual({ 1: ROWS })
    expect(await driver.rows(run)).toBe(ROWS)
  }

  it('no cursor is saved before the work is', async () => {
    const seen: unknown[] = []
    const working = await planned({
      slice: 0,
      batch: async context => {
        await touch(context)
        // By another connection, while the batch is in the middle of its transaction.
        seen.push((await working.shard())?.cursor, (await touches(server.db))['1'])
      },
    })
    await working.slice()
    expect(seen).toEqual([null, undefined])
    expect(await working.shard()).toMatchObject({ cursor: ['300'], rows: 100 })
    await expectOnce(working)
  })

  it('no cursor is saved after a rollback, when the slice cleans up', async () => {
    const ending = new AbortController()
    let calls = 0
    const working = await planned({
      batch: async context => {
        await touch(context)
        if (++calls !== 2) return
        ending.abort(new Error('the replica shuts down'))
        throw new Error('in the middle of the second batch')
      },
    })
    await expect(working.slice(ending.signal)).rejects.toThrow('the replica shuts down')
    // It was let go of, and stands where the first batch ended.
    expect(await working.shard()).toMatchObject({ cursor: ['300'], rows: 100, held: false })
    expect(await touches(server.db)).toEqual({ 0: ROWS - 100, 1: 100 })
    expect(working.driver.told).toEqual([{ rows: 100, batch: 100 }])
    await expectOnce(working)
  })

  it('the cursor does not wait for a clean end', async () => {
    const frozen = Promise.withResolvers<never>()
    const given: number[] = []
    let isFrozen = true
    const working = await planned({
      batch: async context => {
        given.push(context.rows[0]?.id ?? 0)
        await touch(context)
      },
    })
    const { driver, run, slice } = working
    const source = driver.source as { looksAhead: boolean; next: (...given: never[]) => Promise<unknown> }
    const next = source.next.bind(source)
    let looks = 0
    // As good as killed before its third batch: nothing of it is ever run again, not even what cleans up.
    source.looksAhead = false
    source.next = async (...args) => (isFrozen && ++looks === 3 ? frozen.promise : next(...args))
    void slice()
    await expect.poll(async () => (await working.shard())?.rows).toBe(250)
    await expect.poll(() => looks).toBe(3)
    isFrozen = false
    await slice()
    expect(given.slice(0, 3)).toEqual([3, 303, 753])
    expect(run).toBeTruthy()
    await expectOnce(working)
  })

  it('the number of shards is that of the plan, and not of the file', async () => {
    const begun = await openUsers(server, { shards: 4, slice: 0 })
    const { run } = await begun.enqueue()
    await begun.take(`${run}-plan`)
    await begun.take(`${run}-0`)
    const changed = await openUsers(server, { shards: 7 })
    for (const part of [0, 1, 2, 3]) changed.queued.set(`${run}-${part}`, { $migration: { run, part } })
    await changed.drain()
    expect(await changed.ledger.runs.get(run)).toMatchObject({ state: 'succeeded', shards: 4 })
    expect(await touches(server.db)).toEqual({ 1: ROWS })
  })

  it('what is to be done is stored before anybody is rung for: a bell that is lost is rung again', async () => {
    const driver = await openUsers(server, { shards: 2 })
    driver.bell = () => Promise.reject(new Error('Redis is gone'))
    await expect(driver.enqueue()).rejects.toThrow('Redis is gone')
    const [run] = await driver.ledger.runs.list()
    const id = run?.id ?? ''
    expect(await unattended(driver.ledger)).toMatchObject([{ run: id, part: 'plan' }])
    const plan = driver.perform(`${id}-plan`, { $migration: { run: id, part: 'plan' } })
    await expect(plan).rejects.toThrow('Redis is gone')
    expect((await unattended(driver.ledger)).map(({ part }) => part)).toEqual([0, 1])
    driver.bell = undefined
    for (const part of [0, 1]) driver.queued.set(`${id}-${part}`, { $migration: { run: id, part } })
    await driver.drain()
    expect(await driver.ledger.runs.get(id)).toMatchObject({ state: 'succeeded' })
    expect(await touches(server.db)).toEqual({ 1: ROWS })
  })

  it('a lease counts from when it is written, and not from when its transaction began', async () => {
    const { driver, run } = await planned({ batch: touch })
    const claim = await driver.ledger.shards.claim(run, 0, 'somebody')
    if (claim === undefined) throw new Error('not claimed')
    const { db } = driver.ledger
    await db.transaction(async tx => {
      await tx.query('select 1')
      await sleep(600)
      await driver.ledger.shards.advance(tx, claim, ['300'], 100)
    })
    const [row] = await db.query<{ left: number | string }>(
      `select lease_until - ${db.dialect.now} as ${db.dialect.quote('left')} from ${db.dialect.table('shards')}`,
    )
    expect(Number(row?.left)).toBeGreaterThan(LEASE - 500)
  })

  it('a count that fails does not fail the run', async () => {
    const source = keyset<User>('users', { key: 'id', select: ['id', 'email'] })
    source.estimate = () => Promise.reject(new Error('canceling statement due to statement timeout'))
    const driver = await openUsers(server, { source })
    expect(await driver.run()).toMatchObject({ state: 'succeeded', estimate: null })
    expect(await touches(server.db)).toEqual({ 1: ROWS })
  })
})

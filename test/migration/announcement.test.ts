/** `after`, `estimate`, `on`: what comes before a run and after it. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { EndContext } from '../../src/migration/definition.ts'
import { keyset } from '../../src/migration/keyset.ts'
import { unattended } from '../../src/migration/reconciliation.ts'
import {
  EITHER_DATABASE,
  describeDatabases,
  startDatabase,
  touches,
  type TestDatabase,
} from '../helpers/databases.ts'
import { openUsers, poison, resetUsers, ROWS, type User } from '../helpers/users-migration.ts'

describeDatabases(kind => {
  let server: TestDatabase
  beforeAll(async () => void (server = await startDatabase(kind)))
  beforeEach(() => resetUsers(server))
  afterAll(() => server[Symbol.asyncDispose]())

  it('after: waits, says for whom, and begins when that one has succeeded', async () => {
    const driver = await openUsers(server, { after: ['first'] })
    const { run } = await driver.enqueue()
    await driver.take(`${run}-plan`)
    expect(await driver.ledger.runs.get(run)).toMatchObject({
      state: 'planning',
      held: 'waits for first, which has not succeeded',
    })
    const first = await driver.ledger.runs.enrol({
      name: 'first',
      args: '{}',
      checksum: 'x',
      queue: 'migrations',
      shards: 1,
      again: false,
    })
    await driver.take(`${run}-plan`)
    expect(await driver.ledger.runs.get(run)).toMatchObject({ state: 'planning' })
    await driver.ledger.runs.move(first.run.id, ['planning'], 'succeeded')
    await driver.drain()
    expect(await driver.ledger.runs.get(run)).toMatchObject({ state: 'succeeded', held: null })
    expect(await touches(server.db)).toEqual({ 1: ROWS })
  })

  it('estimate: what the author says, else what the source says; an error is no reason to fail', async () => {
    const told = await openUsers(server, {
      estimate: async ({ db }) => (await db.query('select 1')).length + 6,
    })
    expect(await told.run()).toMatchObject({ estimate: 7 })
    await resetUsers(server)
    const broken = await openUsers(server, {
      estimate: ({ db }) => db.query('select count(*) from nowhere').then(() => 1),
    })
    expect(await broken.run()).toMatchObject({ state: 'succeeded', estimate: null })
  })

  it('on.done is called once the run is there, with what it has done', async () => {
    const ended: Pick<EndContext, 'run' | 'rows' | 'failed' | 'error'>[] = []
    const driver = await openUsers(server, {
      on: { done: ({ run, rows, failed, error }) => void ended.push({ run, rows, failed, error }) },
    })
    const run = await driver.run()
    expect(run).toMatchObject({ state: 'succeeded', announced: true })
    expect(ended).toEqual([{ run: run.id, rows: ROWS, failed: 0, error: null }])
  })

  it('on.failed is called when verify fails, and when a slice gives up', async () => {
    const errors: (string | null)[] = []
    const failing = { on: { failed: ({ error }: EndContext) => void errors.push(error) } }
    const verified = await openUsers(server, { ...failing, verify: () => false })
    expect(await verified.run()).toMatchObject({ state: 'failed', announced: true })
    await resetUsers(server)
    const broken = await openUsers(server, { ...failing, batch: () => poison(1) })
    expect(await broken.run()).toMatchObject({ state: 'failed', announced: true })
    expect(errors).toEqual(['verify returned false', expect.stringContaining('more than half of the last')])
  })

  it('on.failed is called when the run cannot be planned', async () => {
    const errors: (string | null)[] = []
    const driver = await openUsers(server, {
      source: keyset<User>('nowhere', { key: 'id' }),
      on: { failed: ({ error }) => void errors.push(error) },
    })
    expect(await driver.run()).toMatchObject({ state: 'failed', announced: true })
    expect(errors).toEqual([expect.stringContaining('it cannot be planned')])
  })

  it('is called by the reconciler when the replica died before it was', async () => {
    let calls = 0
    const driver = await openUsers(server, { on: { done: () => void calls++ } })
    const { run } = await driver.enqueue()
    while (![...driver.queued.keys()].includes(`${run}-end`))
      await driver.take([...driver.queued.keys()][0] as string)
    await driver.ledger.runs.move(run, ['verifying'], 'succeeded')
    driver.queued.clear()
    expect(await unattended(driver.ledger)).toEqual([{ run, name: 'fill', queue: 'migrations', part: 'end' }])
    await driver.perform(`${run}-end`, { $migration: { run, part: 'end' } })
    expect(calls).toBe(1)
    expect(await unattended(driver.ledger)).toEqual([])
    await driver.perform(`${run}-end`, { $migration: { run, part: 'end' } })
    expect(calls).toBe(1)
  })

  it('set --shards halves the largest until as many are open', async () => {
    const driver = await openUsers(server, { shards: 2, slice: 0 })
    const { run } = await driver.enqueue()
    await driver.take(`${run}-plan`)
    await driver.ledger.runs.set(run, { shards: 5, batchMax: 10 })
    // A batch of ten has to be taken before what is left is worth it.
    await server.db.query(`update ${server.db.dialect.table('shards')} set batch_size = 10`)
    await driver.perform(`${run}-split`, { $migration: { run, part: 'split' } })
    expect((await driver.ledger.shards.list(run)).filter(({ open }) => open)).toHaveLength(5)
    await driver.drain()
    expect(await driver.ledger.runs.get(run)).toMatchObject({ state: 'succeeded' })
    expect(await touches(server.db)).toEqual({ 1: ROWS })
  })
}, EITHER_DATABASE)

/** Migrations on a real replica while Redis and the database go, and rows that end their executor. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { makeUsers, startDatabase, touches, type TestDatabase } from '../helpers/databases.ts'
import { MigrationFleet } from '../helpers/migration-fleet.ts'
import { hasPostgres } from '../helpers/postgres.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
let server: TestDatabase
let fleet: MigrationFleet
beforeAll(async () => {
  redis = await startRedis()
  // The same for all of them; with one writer it takes longer, and there is no server to be ended.
  server = await startDatabase(hasPostgres ? 'postgres' : 'sqlite')
})
beforeEach(async () => void (fleet = await MigrationFleet.open(server, redis)))
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await redis.stop()
})

it('goes on by itself when Redis forgets everything', async () => {
  await makeUsers(server.db, 4_000)
  await using replica = await Replica.start(fleet.options)
  const run = await fleet.begin('--pace', '200')
  await fleet.untilBegun()
  await redis.flush()
  await fleet.expectOnce(run, 4_000)
  expect(replica.events('fleet.stopped')).toEqual([])
})

it.skipIf(!hasPostgres)('goes on when the database was away', async () => {
  await makeUsers(server.db, 4_000)
  await using _replica = await Replica.start(fleet.options)
  const run = await fleet.begin('--pace', '200')
  await fleet.untilBegun()
  await server.restart?.()
  await fleet.expectOnce(run, 4_000)
})

it('steps over a row that ends its executor, however often that is', async () => {
  await makeUsers(server.db, 300)
  await using _replica = await Replica.start(fleet.options)
  const run = await fleet.begin('--die', '150', '--shards', '2')
  await expect.poll(async () => (await fleet.ledger.runs.get(run)).state).toBe('failed')
  // verify finds the row that is left, which is what it is for.
  expect(await touches(server.db)).toEqual({ 0: 1, 1: 299 })
  expect(await fleet.ledger.failures.list(run)).toMatchObject([{ key: ['150'], code: 'JOB_CRASHED' }])
})

it('is a gate: 7 while it runs, 5 when it was cancelled, 0 when it has succeeded', async () => {
  await makeUsers(server.db, 3_000)
  const run = await fleet.begin()
  expect(await fleet.cli('migrations', 'wait', 'touch', '--timeout', '300ms')).toMatchObject({ code: 7 })
  expect((await fleet.cli('migrations', 'cancel', run)).code).toBe(0)
  expect(await fleet.cli('migrations', 'wait', run)).toMatchObject({
    code: 5,
    stderr: expect.stringContaining(`run ${run} was cancelled`) as string,
  })
  expect(await fleet.cli('enqueue', 'touch')).toMatchObject({
    stdout: `run ${run} goes on where it stopped\n`,
  })
  await using _replica = await Replica.start(fleet.options)
  expect(await fleet.cli('migrations', 'wait', 'touch')).toMatchObject({
    code: 0,
    stdout: `run ${run} succeeded\n`,
  })
  await fleet.expectOnce(run, 3_000)
  expect((await fleet.cli('enqueue', 'touch')).stdout).toMatch(/succeeded at .*: nothing was added; --again/)
})

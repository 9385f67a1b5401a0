/**
 * Migrations on real replicas that are killed and frozen: each row is written exactly once. The long form:
 * `npm run chaos:migrations` (a million rows, 50 kills, 10 freezes).
 */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { openLedger, type Ledger } from '../../src/migration/ledger.ts'
import { disturb } from '../helpers/chaos.ts'
import {
  describeDatabases,
  makeUsers,
  startDatabase,
  touches,
  type TestDatabase,
} from '../helpers/databases.ts'
import { hasPostgres } from '../helpers/postgres.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'
import { runner } from '../helpers/runner.ts'

const LONG = process.env['CHAOS'] === 'long'
/**
 * `batch` and `pace`, milliseconds: so slow that the long form outlasts all its faults. Less than a batch is meant to take,
 * else it shrinks.
 */
const LONG_RUNS = {
  postgres: { rows: 1_000_000, shards: 16, pace: 300, batch: 120 },
  // With one writer the others only wait for their turn, and die without having done a thing.
  sqlite: { rows: 100_000, shards: 4, pace: 200, batch: 120 },
  mariadb: { rows: 100_000, shards: 16, pace: 300, batch: 15 },
}
const jobs = fileURLToPath(new URL('../fixtures/migrations', import.meta.url))

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

describeDatabases(kind => {
  let server: TestDatabase
  let ledger: Ledger
  beforeAll(async () => void (server = await startDatabase(kind)))
  beforeEach(async () => {
    await redis.flush()
    ledger = await openLedger(server.db)
    for (const table of ['runs', 'shards', 'failures'])
      await server.db.query(`delete from ${server.db.dialect.table(table)}`)
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const args = ['--lock-duration', '2s', '--executors', '1']
  const options = () => ({ redis, jobs, args, env: { DATABASE_URL: server.url }, logLevel: 'info' })
  const cli = (...given: string[]) =>
    runner([...given, '--redis', redis.url, '--jobs', jobs], {
      cwd: jobs,
      env: { DATABASE_URL: server.url },
    })

  async function begin(...given: string[]): Promise<string> {
    const { stdout, stderr } = await cli('enqueue', 'touch', ...given, '--json')
    expect(stderr).toBe('')
    return (JSON.parse(stdout) as { run: string }).run
  }

  const isOver = (run: string) => async () => (await ledger.runs.get(run)).state === 'succeeded'

  /** Some rows are written, and some are not. */
  async function untilBegun(): Promise<void> {
    await expect
      .poll(async () => Object.keys(await touches(server.db)).length, { timeout: 20_000, interval: 50 })
      .toBe(2)
  }

  async function expectOnce(run: string, rows: number): Promise<void> {
    await expect.poll(isOver(run), { timeout: 120_000, interval: 200 }).toBe(true)
    expect(await touches(server.db)).toEqual({ 1: rows })
    const shards = await ledger.shards.list(run)
    expect(shards.reduce((sum, shard) => sum + shard.rows, 0)).toBe(rows)
  }

  it(
    'writes each row once while replicas are killed and frozen',
    { timeout: LONG ? 1_800_000 : 240_000 },
    async () => {
      const short = { rows: 12_000, shards: kind === 'sqlite' ? 4 : 16, pace: 300, batch: undefined }
      const { rows, shards, pace, batch } = LONG ? LONG_RUNS[kind] : short
      const chaos = LONG
        ? { replicas: 3, kills: 50, freezes: 10, frozenFor: 5_000 }
        : { replicas: 2, kills: 5, freezes: 2, frozenFor: 2_500 }
      await makeUsers(server.db, rows)
      const run = await begin('--shards', String(shards), '--pace', String(pace))
      await ledger.runs.set(run, { batchMax: batch ?? null })
      await using disturbed = await disturb(options(), chaos, isOver(run))
      const { kills, freezes } = disturbed
      if (LONG) expect({ kills, freezes }).toEqual({ kills: chaos.kills, freezes: chaos.freezes })
      else expect(kills).toBeGreaterThanOrEqual(chaos.kills / 2)
      // What is left may be done as fast as it can.
      await ledger.runs.set(run, { batchMax: null })
      await expectOnce(run, rows)
      console.log(`${kind}: ${rows} rows, ${kills} kills, ${freezes} freezes`)
    },
  )

  // The rest is the same for all of them, and takes longer with one writer.
  if (kind !== 'postgres' && hasPostgres) return

  it('goes on by itself when Redis forgets everything', async () => {
    await makeUsers(server.db, 10_000)
    await using replica = await Replica.start(options())
    const run = await begin('--pace', '200')
    await untilBegun()
    await redis.flush()
    await expectOnce(run, 10_000)
    expect(replica.events('fleet.stopped')).toEqual([])
  })

  it('goes on when the database was away', async () => {
    await makeUsers(server.db, 10_000)
    await using _replica = await Replica.start(options())
    const run = await begin('--pace', '200')
    await untilBegun()
    await server.restart?.()
    await expectOnce(run, 10_000)
  })

  it('steps over a row that ends its executor, however often that is', async () => {
    await makeUsers(server.db, 300)
    await using _replica = await Replica.start(options())
    const run = await begin('--die', '150', '--shards', '2')
    await expect.poll(async () => (await ledger.runs.get(run)).state, { timeout: 60_000 }).toBe('failed')
    // verify finds the row that is left, which is what it is for.
    expect(await touches(server.db)).toEqual({ 0: 1, 1: 299 })
    expect(await ledger.failures.list(run)).toMatchObject([{ key: ['150'], code: 'JOB_CRASHED' }])
  })

  it('is a gate: 7 while it runs, 5 when it was cancelled, 0 when it has succeeded', async () => {
    await makeUsers(server.db, 3_000)
    const run = await begin()
    expect(await cli('migrations', 'wait', 'touch', '--timeout', '300ms')).toMatchObject({ code: 7 })
    expect((await cli('migrations', 'cancel', run)).code).toBe(0)
    expect(await cli('migrations', 'wait', run)).toMatchObject({
      code: 5,
      stderr: expect.stringContaining(`run ${run} was cancelled`) as string,
    })
    expect(await cli('enqueue', 'touch')).toMatchObject({ stdout: `run ${run} goes on where it stopped\n` })
    await using _replica = await Replica.start(options())
    expect(await cli('migrations', 'wait', 'touch')).toMatchObject({
      code: 0,
      stdout: `run ${run} succeeded\n`,
    })
    await expectOnce(run, 3_000)
    expect((await cli('enqueue', 'touch')).stdout).toMatch(/succeeded at .*: nothing was added; --again/)
  })
})

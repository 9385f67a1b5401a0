/**
 * Migrations on real replicas that are killed and frozen: each row is written exactly once. The long form:
 * `npm run chaos:migrations` (a million rows on PostgreSQL, 50 kills, 10 freezes).
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { disturb } from '../helpers/chaos.ts'
import { describeDatabases, makeUsers, startDatabase, type TestDatabase } from '../helpers/databases.ts'
import { isLong } from '../helpers/long.ts'
import { MigrationFleet } from '../helpers/migration-fleet.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'

const LONG = process.env['CHAOS'] === 'long' || isLong
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

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

describeDatabases(
  kind => {
    let server: TestDatabase
    beforeAll(async () => void (server = await startDatabase(kind)))
    afterAll(() => server[Symbol.asyncDispose]())

    it(
      'writes each row once while replicas are killed and frozen',
      { timeout: LONG ? 1_800_000 : 300_000 },
      async () => {
        const short = { rows: 8_000, shards: kind === 'sqlite' ? 4 : 16, pace: 300, batch: undefined }
        const { rows, shards, pace, batch } = LONG ? LONG_RUNS[kind] : short
        const chaos = LONG
          ? { replicas: 3, kills: 50, freezes: 10, frozenFor: 5_000 }
          : { replicas: 2, kills: 3, freezes: 1, frozenFor: 2_500 }
        await makeUsers(server.db, rows)
        const fleet = await MigrationFleet.open(server, redis)
        const run = await fleet.begin('--shards', String(shards), '--pace', String(pace))
        await fleet.ledger.runs.set(run, { batchMax: batch ?? null })
        await using disturbed = await disturb(fleet.options, chaos, () => fleet.hasSucceeded(run))
        const { kills, freezes } = disturbed
        if (LONG) expect({ kills, freezes }).toEqual({ kills: chaos.kills, freezes: chaos.freezes })
        else expect(kills).toBeGreaterThanOrEqual(chaos.kills / 2)
        // What is left may be done as fast as it can.
        await fleet.ledger.runs.set(run, { batchMax: null })
        await fleet.expectOnce(run, rows)
        console.log(`${kind}: ${rows} rows, ${kills} kills, ${freezes} freezes`)
      },
    )
  },
  LONG ? undefined : ['postgres'],
)

/** The ledger of one database: what was asked for, how far it is, what was stepped over. */
import { RunnerError, messageOf } from '../errors.ts'
import type { Database } from './database.ts'
import { FailureLedger, type Failures } from './failure-ledger.ts'
import { makeLedger } from './ledger-schema.ts'
import { RunLedger, type Runs } from './run-ledger.ts'
import { ShardLedger, type Shards } from './shard-ledger.ts'

export interface Ledger {
  readonly db: Database
  readonly runs: Runs
  readonly shards: Shards
  readonly failures: Failures
}

/** Makes its tables where there are none. Throws DATABASE_UNREACHABLE. */
export async function openLedger(db: Database): Promise<Ledger> {
  try {
    await makeLedger(db)
  } catch (error) {
    await db.close()
    throw new RunnerError('DATABASE_UNREACHABLE', `the ledger cannot be opened: ${messageOf(error)}`, {
      hint: 'is the database up, and may this user make tables (on PostgreSQL a schema runner)?',
      cause: error,
    })
  }
  return { db, runs: new RunLedger(db), shards: new ShardLedger(db), failures: new FailureLedger(db) }
}

/** The ledger of one database: what was asked for, how far it is, what was stepped over. */
import type { Database } from './database.ts'
import { FailureLedger } from './failure-ledger.ts'
import { makeLedger } from './ledger-schema.ts'
import { RunLedger } from './run-ledger.ts'
import { ShardLedger } from './shard-ledger.ts'

export interface Ledger {
  readonly db: Database
  readonly runs: RunLedger
  readonly shards: ShardLedger
  readonly failures: FailureLedger
}

/** Makes its tables where there are none. */
export async function openLedger(db: Database): Promise<Ledger> {
  await makeLedger(db)
  return { db, runs: new RunLedger(db), shards: new ShardLedger(db), failures: new FailureLedger(db) }
}

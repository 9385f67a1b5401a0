/**
 * A ledger in Redis, for migrations whose rows and effects are in no SQL database: `database: 'redis://...'`. Rows are
 * given at least once, as with any `effects: 'external'`, and what becomes of Redis becomes of the ledger.
 */
import { Redis } from 'ioredis'
import { RunnerError, messageOf } from '../../errors.ts'
import type { Database, Dialect, Transaction } from '../database.ts'
import type { Ledger } from '../ledger.ts'
import { RedisFailures } from './failures.ts'
import { RedisRuns } from './runs.ts'
import { RedisShards } from './shards.ts'
import { Space } from './space.ts'
import { applyFrom, commandsOf } from './transaction.ts'

/** Of nothing: there is no SQL. */
const dialect: Dialect = {
  name: 'redis',
  table: name => name,
  now: '',
  same: () => '',
  text: expression => expression,
  lock: '',
  quote: identifier => identifier,
  returning: false,
  insertNew: ['', ''],
}

const DISCONNECTED =
  /ECONNREFUSED|ECONNRESET|ETIMEDOUT|Connection is closed|max retries per request|LOADING|READONLY/

/** Throws DATABASE_UNREACHABLE. */
export async function openRedisLedger(url: string): Promise<Ledger> {
  const redis = new Redis(url, { maxRetriesPerRequest: 3, connectionName: 'runner-migrations' })
  // The command that fails says so.
  redis.on('error', () => undefined)
  try {
    await redis.ping()
  } catch (error) {
    redis.disconnect()
    throw new RunnerError(
      'DATABASE_UNREACHABLE',
      `the ledger in Redis cannot be reached: ${messageOf(error)}`,
    )
  }
  const space = new Space(redis)
  const db: Database = {
    dialect,
    async query() {
      throw new RunnerError('USAGE', 'the ledger is in Redis, where there is no SQL', {
        hint: 'keyset(), verify by SQL and a query() throttle need a database: DATABASE_URL=postgres://...',
      })
    },
    async transaction(work) {
      const tx: Transaction = { query: sql => db.query(sql) }
      const result = await work(tx)
      // Of a transaction that moves no cursor.
      const rest = commandsOf(tx)
      if (rest.length > 0) await space.call(applyFrom(1), [], rest)
      return result
    },
    isTransient: error => DISCONNECTED.test(messageOf(error)),
    close: async () => redis.disconnect(),
  }
  return {
    db,
    runs: new RedisRuns(space),
    shards: new RedisShards(space),
    failures: new RedisFailures(space),
  }
}

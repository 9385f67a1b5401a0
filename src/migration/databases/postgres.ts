/** PostgreSQL by `pg`, which is a peer: nobody who has no PostgreSQL needs it. */
import type { Pool, PoolClient } from 'pg'
import { RunnerError, messageOf } from '../../errors.ts'
import { LIMITS, type Database, type Dialect, type Queryable, type Row } from '../database.ts'
import { codesOf } from './error-codes.ts'

const dialect: Dialect = {
  name: 'postgres',
  table: name => `runner.${name}`,
  // Not now(), which is when the transaction began.
  now: '(extract(epoch from clock_timestamp()) * 1000)::bigint',
  same: (left, right) => `${left} is not distinct from ${right}::text`,
  text: expression => `(${expression})::text`,
  lock: 'for no key update',
  quote: identifier => `"${identifier.replaceAll('"', '""')}"`,
  limits: `select set_config('lock_timeout', '${LIMITS.lock}', true),
    set_config('statement_timeout', '${LIMITS.statement}', true),
    set_config('idle_in_transaction_session_timeout', '${LIMITS.idle}', true)`,
  returning: true,
  insertNew: ['insert', 'on conflict do nothing'],
  sample: percent => [percent < 100 ? `tablesample system (${percent})` : '', 'true'],
}

/** Connections of one executor: a slice holds one while its transaction is open. */
const MOST = 10

/** Timeouts of locks and statements, deadlocks, failed serialization, a server that goes or comes. */
const TRANSIENT = /^(55P03|57014|40P01|40001|25P03|57P0[1-5]|08\w{3}|53\w{3})$/
const DISCONNECTED =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT)$|Connection terminated|connection is closed|not queryable|timeout exceeded when trying to connect/

const ignore = () => undefined

export async function openPostgres(url: string): Promise<Database> {
  const { default: pg } = await import('pg').catch((error: unknown) => {
    throw new RunnerError('DATABASE_UNREACHABLE', `PostgreSQL needs the package pg: ${messageOf(error)}`, {
      hint: 'npm i pg',
    })
  })
  const pool = new pg.Pool({ connectionString: url, max: MOST, connectionTimeoutMillis: 5_000 })
  // An idle connection that breaks is replaced by the next query.
  pool.on('error', ignore)
  return {
    dialect,
    query: <Of extends object>(sql: string, params?: readonly unknown[]) => ask<Of>(pool, sql, params),
    async transaction(work) {
      const client = await pool.connect()
      const tx: Queryable = { query: (sql, params) => ask(client, sql, params) }
      // Without it, one that ends while nobody asks it anything ends this process.
      client.on('error', ignore)
      let broken: Error | undefined
      try {
        await client.query(`begin; ${dialect.limits}`)
        const result = await work(tx)
        await client.query('commit')
        return result
      } catch (error) {
        await client.query('rollback').catch((cause: Error) => (broken = cause))
        throw error
      } finally {
        client.off('error', ignore)
        client.release(broken)
      }
    },
    isTransient(error) {
      const codes = codesOf(error)
      return (
        codes.some(code => TRANSIENT.test(code) || DISCONNECTED.test(code)) ||
        DISCONNECTED.test(messageOf(error))
      )
    },
    close: async () => {
      if (!pool.ending) await pool.end()
    },
  }
}

async function ask<Of extends object = Row>(
  on: Pool | PoolClient,
  sql: string,
  params: readonly unknown[] = [],
): Promise<Of[]> {
  const { rows } = await on.query(sql, [...params])
  return rows as Of[]
}

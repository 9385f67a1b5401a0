/** MySQL 8 and MariaDB by `mysql2`, which is a peer: nobody who has neither needs it. */
import type { Connection, Pool } from 'mysql2/promise'
import { RunnerError, messageOf } from '../../errors.ts'
import { LIMITS, type Database, type Dialect, type Row } from '../database.ts'
import { codesOf } from './error-codes.ts'
import { guarded } from './guarded-transaction.ts'
import { questionMarks } from './placeholders.ts'

const dialect: Dialect = {
  name: 'mysql',
  table: name => `runner_${name}`,
  // Not now(), which is when the statement began.
  now: 'cast(unix_timestamp(sysdate(3)) * 1000 as signed)',
  same: (left, right) => `${left} <=> ${right}`,
  text: expression => `cast(${expression} as char)`,
  lock: 'for update',
  quote: identifier => `\`${identifier.replaceAll('`', '``')}\``,
  returning: false,
  insertNew: ['insert ignore', ''],
  sample: percent => ['', `rand() < ${percent / 100}`],
}

/** Connections of one executor: a slice holds one while its transaction is open. */
const MOST = 10

/** Timeouts of locks and statements, deadlocks, a server that is full, goes or comes. */
const TRANSIENT = new Set([
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_LOCK_DEADLOCK',
  'ER_STATEMENT_TIMEOUT',
  'ER_QUERY_TIMEOUT',
  'ER_QUERY_INTERRUPTED',
  'ER_CHECKREAD',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_CLIENT_INTERACTION_TIMEOUT',
  'PROTOCOL_CONNECTION_LOST',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
])
/** After these the transaction is gone. */
const ENDING = new Set(['ER_LOCK_DEADLOCK', 'ER_CHECKREAD', 'ER_QUERY_TIMEOUT', 'ER_STATEMENT_TIMEOUT'])
const DISCONNECTED = /closed state|Connection lost|connection is in closed/

export async function openMysql(url: string): Promise<Database> {
  const { createPool } = await import('mysql2/promise').catch((error: unknown) => {
    throw new RunnerError('DATABASE_UNREACHABLE', `MySQL needs the package mysql2: ${messageOf(error)}`, {
      hint: 'npm i mysql2',
    })
  })
  const options = { uri: url, connectionLimit: MOST, supportBigNumbers: true, connectTimeout: 5_000 }
  const pool = createPool(options)
  // Those of transactions have limits, which end a whole session's statements; to count a large table takes longer.
  const limited = createPool({ ...options, idleTimeout: LIMITS.idle / 2 })
  const ready = new WeakSet<object>()
  return {
    dialect,
    query: <Of extends object>(sql: string, params?: readonly unknown[]) => ask<Of>(pool, sql, params),
    async transaction(work) {
      const connection = await limited.getConnection()
      let usable = false
      try {
        if (!ready.has(connection.connection)) await prepare(connection)
        ready.add(connection.connection)
        await connection.beginTransaction()
        usable = true
        const tx = guarded({ query: (sql, params) => ask(connection, sql, params) }, error =>
          codesOf(error).some(code => ENDING.has(code)),
        )
        const result = await work(tx)
        tx.assertOpen()
        await connection.commit()
        return result
      } catch (error) {
        if (usable) await connection.rollback().catch(() => (usable = false))
        throw error
      } finally {
        if (usable) connection.release()
        else connection.destroy()
      }
    },
    isTransient: error =>
      codesOf(error).some(code => TRANSIENT.has(code)) || DISCONNECTED.test(messageOf(error)),
    close: async () => void (await Promise.all([pool.end(), limited.end()])),
  }
}

/**
 * Read committed: what a batch locks are its rows, and not the gaps between them, where others insert. MySQL has no
 * limit of an idle transaction but that of an idle connection, and none of statements that write.
 */
async function prepare(connection: Connection): Promise<void> {
  const [version] = await ask<{ v: string }>(connection, 'select version() as v')
  const seconds = (ms: number) => ms / 1_000
  const limits = version?.v.includes('MariaDB')
    ? `max_statement_time = ${seconds(LIMITS.statement)}, idle_transaction_timeout = ${seconds(LIMITS.idle)}`
    : `max_execution_time = ${LIMITS.statement}, wait_timeout = ${seconds(LIMITS.idle)}`
  await connection.query('set session transaction isolation level read committed')
  await connection.query(`set session innodb_lock_wait_timeout = ${seconds(LIMITS.lock)}, ${limits}`)
}

async function ask<Of extends object = Row>(
  on: Pool | Connection,
  sql: string,
  params: readonly unknown[] = [],
): Promise<Of[]> {
  const asked = questionMarks(sql, params)
  const [rows] = await on.query(asked.sql, asked.params)
  // What returns no rows says how many it changed.
  return Array.isArray(rows) ? (rows as Of[]) : []
}

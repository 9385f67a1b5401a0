/**
 * SQLite by Node's own module. Its calls are synchronous: a statement holds the event loop of the executor while it
 * runs. Waiting for another writer does not: that is asked for again, with pauses, until the limit.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'
import pLimit from 'p-limit'
import { RunnerError } from '../../errors.ts'
import type { Database, Dialect, Queryable, Row } from '../database.ts'
import { codesOf } from './error-codes.ts'
import { guarded } from './guarded-transaction.ts'
import { replacePlaceholders } from './placeholders.ts'

const PAUSE_MS = 5
/** The one writer may have a long batch, and there may be others before us: that is no fault of ours. Milliseconds. */
const PATIENCE = 30_000
const BUSY = 5
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER)

const dialect: Dialect = {
  name: 'sqlite',
  table: name => `runner_${name}`,
  now: `cast(unixepoch('subsec') * 1000 as integer)`,
  same: (left, right) => `${left} is ${right}`,
  text: expression => `cast(${expression} as text)`,
  lock: '',
  quote: identifier => `"${identifier.replaceAll('"', '""')}"`,
  returning: true,
  insertNew: ['insert', 'on conflict do nothing'],
}

export function openSqlite(file: string): Database {
  const folder = dirname(file)
  // Ours is made; that of a path with a slip in it is not.
  if (basename(folder) === '.runner') mkdirSync(folder, { recursive: true })
  else if (!existsSync(folder))
    throw new RunnerError('DATABASE_UNREACHABLE', `SQLite: there is no folder ${folder}`, {
      hint: 'the path of a sqlite: URL belongs to the folder that the command is run in',
    })
  const idle: Connection[] = []
  // In turn: SQLite itself does not know who came first, and those of other processes are enough to contend with.
  const writer = pLimit(1)
  const take = () => idle.pop() ?? new Connection(file)
  const lend = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = take()
    try {
      return await work(connection)
    } finally {
      idle.push(connection)
    }
  }
  return {
    dialect,
    query: (sql, params) => lend(connection => untilFree(() => connection.query(sql, params))),
    transaction: work =>
      writer(() =>
        lend(async connection => {
          // Immediate: a second writer waits here, and not when it has read what the first is about to change.
          await untilFree(() => connection.query('begin immediate'))
          const begun = performance.now()
          try {
            const result = await work(connection.inTransaction())
            await untilFree(() => connection.query('commit'))
            await letOthersIn(performance.now() - begun)
            return result
          } catch (error) {
            connection.rollBack()
            throw error
          }
        }),
      ),
    isTransient: isBusy,
    async close() {
      for (const connection of idle.splice(0)) connection.close()
    },
  }
}

class Connection implements Queryable {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>()

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: 0 })
    this.#db.exec('pragma journal_mode = wal')
    this.#db.function('runner_hash', { deterministic: true }, hashOf)
  }

  // Rejects, and does not throw: callers of all databases are the same.
  async query<Of extends object>(sql: string, params: readonly unknown[] = []): Promise<Of[]> {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(replacePlaceholders(sql, n => `?${n}`))
      statement.setReadBigInts(true)
      if (this.#statements.size > 100) this.#statements.clear()
      this.#statements.set(sql, statement)
    }
    const rows = statement.all(...(params as (string | number | null)[])) as Row[]
    for (const row of rows) narrow(row)
    return rows as Of[]
  }

  /** It may be ended by an error, as by ON CONFLICT ROLLBACK. */
  inTransaction(): Queryable {
    return guarded(this, () => !this.#db.isTransaction)
  }

  rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('rollback')
  }

  close(): void {
    this.#db.close()
  }
}

/** 32 bits of a text: SQLite has no hash, and two copies are compared by the sum of those of their rows. */
function hashOf(text: unknown): number {
  return createHash('sha1').update(String(text)).digest().readUInt32BE(0)
}

/** Integers are numbers where they fit: Node's module throws for one that does not, after the statement has run. */
function narrow(row: Row): void {
  for (const column in row) {
    const value = row[column]
    if (typeof value === 'bigint' && value <= LARGEST && value >= -LARGEST) row[column] = Number(value)
  }
}

/** After a long transaction: those of other processes ask again every few milliseconds, and would not meet the gap. */
async function letOthersIn(ms: number): Promise<void> {
  if (ms > 40) await sleep(Math.min(10, ms / 40))
}

async function untilFree<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      await sleep(PAUSE_MS * (1 + Math.random()))
    }
  }
}

function isBusy(error: unknown): boolean {
  if (codesOf(error).includes('SQLITE_BUSY')) return true
  const code = (error as { errcode?: number } | undefined)?.errcode
  // The low byte is the code, what is above it says more.
  return code !== undefined && (code & 0xff) === BUSY
}

/** The databases of this process, by name: opened when they are first asked for, closed with the process. */
import { RunnerError } from '../errors.ts'
import { executorSettings } from '../job/executor-settings.ts'
import type { Database } from './database.ts'
import { openLedger, type Ledger } from './ledger.ts'

const DEFAULT = 'default'
const ledgers = new Map<string, Promise<Ledger>>()

/** Throws CONFIG_INVALID for a name that is not in the config, DATABASE_UNREACHABLE. */
export function ledgerOf(name: string = DEFAULT): Promise<Ledger> {
  let ledger = ledgers.get(name)
  if (ledger === undefined) {
    ledger = openLedgerOf(name, executorSettings().databases)
    // The next one asks again.
    ledger.catch(() => ledgers.delete(name))
    ledgers.set(name, ledger)
  }
  return ledger
}

/** Throws CONFIG_INVALID, DATABASE_UNREACHABLE. */
export async function openLedgerOf(name: string, databases: Record<string, string>): Promise<Ledger> {
  const url = databases[name]
  if (url !== undefined && /^rediss?:\/\//.test(url))
    return (await import('./redis-ledger/open.ts')).openRedisLedger(url)
  return openLedger(await openDatabase(name, databases))
}

export async function openDatabase(name: string, databases: Record<string, string>): Promise<Database> {
  const url = databases[name]
  if (url === undefined)
    throw new RunnerError('CONFIG_INVALID', `no database is named ${JSON.stringify(name)}`, {
      hint: `put it into the config file: databases: { ${name}: 'postgres://...' }`,
    })
  if (/^postgres(ql)?:\/\//.test(url)) return (await import('./databases/postgres.ts')).openPostgres(url)
  if (/^(mysql|mariadb):\/\//.test(url))
    return (await import('./databases/mysql.ts')).openMysql(url.replace(/^mariadb:/, 'mysql:'))
  if (url.startsWith('sqlite:'))
    return (await import('./databases/sqlite.ts')).openSqlite(url.slice('sqlite:'.length))
  // The value may hold a password.
  throw new RunnerError('CONFIG_INVALID', `database ${name}: not a URL that is known`, {
    hint: 'postgres://user:password@host/database, mysql://user:password@host/database, sqlite:path/to/file.db, or redis://host for a ledger without SQL',
  })
}

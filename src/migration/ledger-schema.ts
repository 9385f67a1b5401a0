/** The tables of the ledger, in the database that the migrations write to. Made when they are first needed. */
import type { Database, Dialect } from './database.ts'
import { codesOf } from './databases/error-codes.ts'

/** Text of any length; text that is a key; a key of a row, which may have several columns. */
interface TextTypes {
  long: string
  name: string
  key: string
}

const TEXT: TextTypes = { long: 'text', name: 'text', key: 'text' }
/** A key may have 3072 bytes there. Compared by its bytes. */
const bytes = (length: number) => `varchar(${length}) character set utf8mb4 collate utf8mb4_bin`
const MYSQL_TEXT: TextTypes = {
  long: 'longtext character set utf8mb4 collate utf8mb4_bin',
  name: bytes(190),
  key: bytes(570),
}

/** `active`: of a run that is not over, its name and arguments; unique, so that there is one of a kind. */
function tablesOf({ name: kind, quote }: Dialect): Record<string, string> {
  const { long, name, key } = kind === 'mysql' ? MYSQL_TEXT : TEXT
  return {
    runs: `id ${name} primary key, name ${name} not null, args ${long} not null, active ${name} unique,
      checksum ${name} not null, git_sha ${name}, requested_by ${name}, reason ${long}, dry_run integer not null,
      state ${name} not null, queue ${name} not null, shards integer not null, estimate bigint, error ${long},
      tolerated integer not null default 0, batch_max integer, max_lag bigint, held ${long},
      looked_at bigint not null default 0, announced integer,
      created_at bigint not null, started_at bigint, finished_at bigint`,
    shards: `run ${name} not null, shard integer not null, lo ${long}, hi ${long}, ${quote('cursor')} ${long},
      epoch integer not null default 0, owner ${name}, lease_until bigint not null default 0, state ${name} not null,
      batch_size integer not null, seen_rows double precision not null default 0,
      seen_ms double precision not null default 0, ${quote('rows')} bigint not null default 0,
      ms bigint not null default 0, crashes integer not null default 0, alone integer not null default 0, primary key (run, shard)`,
    failures: `run ${name} not null, ${quote('key')} ${key} not null, error ${long} not null, code ${name},
      attempts integer not null, state ${name} not null, at bigint not null, primary key (run, ${quote('key')})`,
    events: `run ${name} not null, at bigint not null, who ${name}, what ${long} not null`,
    outputs: `run ${name} not null, shard integer not null, at bigint not null, value ${long} not null`,
  }
}

/** Two that make it at once: PostgreSQL fails one of them although it said "if not exists". */
const MADE_MEANWHILE = new Set(['23505', '42P06', '42P07'])

export async function makeLedger(db: Database): Promise<void> {
  const { dialect } = db
  const statements = Object.entries(tablesOf(dialect)).map(
    ([name, columns]) => `create table if not exists ${dialect.table(name)} (${columns})`,
  )
  if (dialect.name === 'postgres') statements.unshift('create schema if not exists runner')
  for (const statement of statements) {
    try {
      await db.query(statement)
    } catch (error) {
      if (!codesOf(error).some(code => MADE_MEANWHILE.has(code))) throw error
    }
  }
}

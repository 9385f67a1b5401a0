/** The tables of the ledger, in the database that the migrations write to. Made when they are first needed. */
import type { Database } from './database.ts'

/** `active`: of a run that is not over, its name and arguments; unique, so that there is one of a kind. */
const TABLES: Record<string, string> = {
  runs: `id text primary key, name text not null, args text not null, active text unique, checksum text not null,
    git_sha text, requested_by text, reason text, dry_run integer not null, state text not null, queue text not null,
    shards integer not null, estimate bigint, error text, tolerated integer not null default 0,
    batch_max integer, lease_until bigint not null default 0,
    created_at bigint not null, started_at bigint, finished_at bigint`,
  shards: `run text not null, shard integer not null, lo text, hi text, cursor text,
    epoch integer not null default 0, owner text, lease_until bigint not null default 0, state text not null,
    batch_size integer not null, seen_rows double precision not null default 0,
    seen_ms double precision not null default 0, rows bigint not null default 0, ms bigint not null default 0,
    crashes integer not null default 0, primary key (run, shard)`,
  failures: `run text not null, key text not null, error text not null, code text, attempts integer not null,
    state text not null, at bigint not null, primary key (run, key)`,
  events: 'run text not null, at bigint not null, who text, what text not null',
  outputs: 'run text not null, shard integer not null, at bigint not null, value text not null',
}

/** Two that make it at once: PostgreSQL fails one of them although it said "if not exists". */
const MADE_MEANWHILE = new Set(['23505', '42P06', '42P07'])

export async function makeLedger(db: Database): Promise<void> {
  const { dialect } = db
  const statements = Object.entries(TABLES).map(
    ([name, columns]) => `create table if not exists ${dialect.table(name)} (${columns})`,
  )
  if (dialect.name === 'postgres') statements.unshift('create schema if not exists runner')
  for (const statement of statements) {
    try {
      await db.query(statement)
    } catch (error) {
      if (!MADE_MEANWHILE.has((error as { code?: string }).code ?? '')) throw error
    }
  }
}

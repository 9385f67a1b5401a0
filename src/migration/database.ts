/**
 * What the engine needs of a database: queries with `$1` parameters, and transactions. The ledger and the rows that a
 * migration touches lie in the same one, so that one transaction covers both.
 */
export type Row = Record<string, unknown>

export interface Queryable {
  /** Parameters are $1, $2 ... in every database. */
  query<Of extends object = Row>(sql: string, params?: readonly unknown[]): Promise<Of[]>
}

/** Where databases differ. SQL fragments. */
export interface Dialect {
  readonly name: 'postgres' | 'sqlite' | 'mysql' | 'redis'
  /** Of the ledger: 'runs' -> what it is called there. */
  table(name: string): string
  /** Milliseconds since the epoch at the moment it is evaluated, not at the start of the transaction. */
  readonly now: string
  /** Equal, or both null. */
  same(left: string, right: string): string
  /** `expression` as text that loses nothing. */
  text(expression: string): string
  /** Ends a SELECT whose rows are about to be written; '' where writers are alone anyhow. */
  readonly lock: string
  readonly quote: (identifier: string) => string
  /** Statement that sets LIMITS for the transaction that it is in. Absent: they belong to the session. */
  readonly limits?: string
  /** Whether UPDATE says with RETURNING what it changed. */
  readonly returning: boolean
  /** INSERT that leaves a row of the same key as it is: what it begins with, and what it ends with. */
  readonly insertNew: readonly [string, string]
  /** So many percent of a table: what follows its name, and a condition. Absent: there is no cheap way. */
  sample?(percent: number): readonly [string, string]
}

/** An open transaction. */
export interface Transaction extends Queryable {
  /** What the author is given as `tx`, where an ORM opened it. Default: this. */
  readonly author?: unknown
  /** A savepoint of the ORM. Default: one by SQL. */
  readonly nested?: (work: (author: unknown) => Promise<void>) => Promise<void>
}

export interface Database extends Queryable {
  readonly dialect: Dialect
  /** Commits when `work` resolves, rolls back when it rejects. Limits are in milliseconds. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Whether the same transaction may well succeed when it is tried again, or with fewer rows. */
  isTransient(error: unknown): boolean
  close(): Promise<void>
}

/** 'app.users' -> "app"."users" */
export function quoteTable({ quote }: Dialect, table: string): string {
  return table.split('.').map(quote).join('.')
}

/** How long one transaction may wait for a lock, run one statement, and idle between two, in milliseconds. */
export const LIMITS = { lock: 2_000, statement: 15_000, idle: 30_000 }

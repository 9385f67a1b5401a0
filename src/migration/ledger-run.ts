/** A run as the ledger knows it. */

/**
 *   planning -> running <-> paused
 *                  |-> verifying -> succeeded
 *                  '-> failed | cancelled  -> running, when it is enqueued again
 */
export type RunState = 'planning' | 'running' | 'paused' | 'verifying' | 'succeeded' | 'failed' | 'cancelled'

/** Nothing of it goes on by itself. */
export function isOver(state: RunState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled'
}

export interface MigrationRun {
  id: string
  name: string
  /** Input of the schema, as JSON. */
  args: string
  checksum: string
  state: RunState
  queue: string
  shards: number
  estimate: number | null
  error: string | null
  /** Rows that had failed when it was enqueued again: what failed then does not stop it now. */
  tolerated: number
  /** Rows that a batch may have at most; null: as many as are right. */
  batchMax: number | null
  /** Milliseconds that replicas may be behind; null: what the file says. */
  maxLag: number | null
  /** Why it waits. */
  held: string | null
  /** Whether its file is still to be called, since it is over; null: it does not want to be. */
  announced: boolean | null
  dryRun: boolean
  requestedBy: string | null
  reason: string | null
  /** Milliseconds since the epoch, by the clock of the database. */
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
}

export interface NewRun {
  name: string
  args: string
  checksum: string
  queue: string
  shards: number
  gitSha?: string | undefined
  requestedBy?: string | undefined
  reason?: string | undefined
  /** Also when one of these arguments has succeeded. */
  again: boolean
}

/** What may be changed while it goes on. */
export interface RunSettings {
  /** Rows that a batch may have at most; null: as many as are right. */
  batchMax?: number | null
  /** Milliseconds that replicas may be behind; null: what the file says. */
  maxLag?: number | null
  /** As many as are to be open. */
  shards?: number
}

const COLUMNS: Record<keyof RunSettings, string> = {
  batchMax: 'batch_max',
  maxLag: 'max_lag',
  shards: 'shards',
}

/** Columns and what they are to be. */
export function columnsOf(settings: RunSettings): [string, number | null][] {
  return Object.entries(settings).map(([name, value]) => [COLUMNS[name as keyof RunSettings], value])
}

type RunRow = Record<string, string | number | null | undefined>

export function runOf(row: RunRow): MigrationRun {
  const number = (value: string | number | null | undefined) =>
    value === null || value === undefined ? null : Number(value)
  const text = (value: string | number | null | undefined) => (typeof value === 'string' ? value : null)
  return {
    id: String(row['id']),
    name: String(row['name']),
    args: String(row['args']),
    checksum: String(row['checksum']),
    state: String(row['state']) as RunState,
    queue: String(row['queue']),
    shards: Number(row['shards']),
    estimate: number(row['estimate']),
    error: text(row['error']),
    tolerated: Number(row['tolerated'] ?? 0),
    batchMax: number(row['batch_max']),
    maxLag: number(row['max_lag']),
    held: text(row['held']),
    announced: (row['announced'] ?? null) === null ? null : Number(row['announced']) === 1,
    dryRun: Number(row['dry_run']) === 1,
    requestedBy: text(row['requested_by']),
    reason: text(row['reason']),
    createdAt: Number(row['created_at']),
    startedAt: number(row['started_at']),
    finishedAt: number(row['finished_at']),
  }
}

/** How far a run is: read from the ledger, and shown with a bar for each shard. */
import type { Ledger } from '../migration/ledger.ts'
import { isOver, type MigrationRun } from '../migration/ledger-run.ts'
import { rowsOf, type ShardStatus } from '../migration/shard-ledger.ts'
import { textTable } from '../table.ts'
import { formatMilliseconds } from '../units.ts'

export interface RunProgress {
  run: MigrationRun
  rows: number
  failed: number
  /** Rows a second: since the last look, else since it was started; null when it does not move. */
  rate: number | null
  /** Milliseconds; null when it cannot be told. */
  left: number | null
  shards: ShardStatus[]
  /** performance.now() of the look. */
  at: number
}

const WIDTH = 20
/** Shards that are shown: those that are open first. */
const SHOWN = 32

export async function progressOf(ledger: Ledger, id: string, before?: RunProgress): Promise<RunProgress> {
  const [run, shards, failed] = await Promise.all([
    ledger.runs.get(id),
    ledger.shards.list(id),
    ledger.failures.count(id),
  ])
  const rows = rowsOf(shards)
  const at = performance.now()
  const rate = rateOf(run, rows, at, before)
  const missing = run.estimate === null ? null : Math.max(0, run.estimate - rows)
  const left = rate === null || rate === 0 || missing === null ? null : (missing / rate) * 1_000
  return { run, rows, failed, rate, left, shards, at }
}

function rateOf(run: MigrationRun, rows: number, at: number, before: RunProgress | undefined): number | null {
  if (run.state === 'running' && before !== undefined) {
    const now = ((rows - before.rows) * 1_000) / (at - before.at)
    return before.rate === null ? now : 0.7 * before.rate + 0.3 * now
  }
  if (run.startedAt === null) return null
  const took = (run.finishedAt ?? Date.now()) - run.startedAt
  return took <= 0 ? null : (rows * 1_000) / took
}

export function textOf({ run, rows, failed, rate, left, shards }: RunProgress): string {
  const of = run.estimate === null ? '' : ` of about ${count(run.estimate)}`
  const head = [
    `${run.id}  ${run.state}`,
    `${count(rows)}${of} rows`,
    ...(rate === null ? [] : [`${count(rate)}/s`]),
    ...(left === null || run.state !== 'running' ? [] : [`${formatMilliseconds(left)} left`]),
    ...(failed === 0 ? [] : [`${count(failed)} failed`]),
    ...(run.error === null ? [] : [run.error]),
    ...(run.held === null || isOver(run.state) ? [] : [`held: ${run.held}`]),
  ].join('  ')
  const share = (run.estimate ?? 0) / Math.max(1, shards.length)
  const open = shards.filter(shard => shard.open)
  const shown = (open.length > 0 ? open : shards).slice(0, SHOWN)
  const lines = shown.map(shard => [
    `shard ${shard.shard}`,
    barOf(shard, share),
    `${count(shard.rows)} rows`,
    `batch ${count(shard.batchSize)}`,
    shard.held ? 'runs' : shard.open ? 'waits' : 'done',
  ])
  const hidden = shards.length - shown.length
  const rest = hidden === 0 ? [] : [`${hidden} more ${open.length > 0 ? 'are done or wait' : 'are done'}`]
  return [head, textTable(lines), ...rest].filter(line => line !== '').join('\n')
}

function barOf({ rows, open }: ShardStatus, share: number): string {
  const part = open ? (share === 0 ? 0 : Math.min(0.99, rows / share)) : 1
  const filled = Math.round(part * WIDTH)
  return '█'.repeat(filled) + '░'.repeat(WIDTH - filled)
}

const count = (value: number) => Math.round(value).toLocaleString('en')

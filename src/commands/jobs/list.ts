/** `runner jobs list`: jobs by queue, state, name and age, of any number, as they are read. */
import { once } from 'node:events'
import type { Command } from 'commander'
import { Inspector } from '../../inspector/inspector.ts'
import { rowsOf, type JobRow } from '../../inspector/row.ts'
import { STATE_NAMES } from '../../inspector/state.ts'
import { walk } from '../../inspector/walk.ts'
import { openRedis } from '../../redis/connection.ts'
import { textTable } from '../../table.ts'
import { formatMilliseconds } from '../../units.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { addFilters, filterOf, limitOf, targetsOf, type FilterFlags } from './filter.ts'

/** Of a table and of one JSON document. Lines of JSON end when their reader has enough. */
const LIMIT = 100
/** Jobs whose fields are read at once. */
const AT_ONCE = 200
const COLUMNS = ['QUEUE', 'ID', 'NAME', 'STATE', 'AGE', 'ATTEMPTS', '']

export function define(command: Command, context: CliContext): void {
  addFilters(command).action(async (flags: FilterFlags) => list(flags, context))
  addHelp(
    command,
    [
      ['runner jobs list', `the newest ${LIMIT}, state by state`],
      ['runner jobs list --queue mail --state failed --since 1h'],
      [
        'runner jobs list --state failed --name send-email -o jsonl | head -5',
        'any number, as they are read',
      ],
    ],
    ['ok', 'usage', 'redis', 'notFound'],
  )
}

async function list(flags: FilterFlags, context: CliContext): Promise<void> {
  const config = await context.config()
  const isStream = context.format === 'jsonl'
  const limit = limitOf(flags, isStream ? Infinity : LIMIT)
  await using redis = await openRedis(config, { onMessage: context.note })
  await using inspector = new Inspector(redis)
  const rows: JobRow[] = []
  let met = 0
  for await (const row of found(inspector, flags, limit + 1)) {
    if (++met > limit) break
    if (!isStream) rows.push(row)
    else {
      context.print('', row)
      if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain')
    }
  }
  if (isStream) return
  if (rows.length === 0) context.note('no job')
  if (rows.length > 0 || context.format === 'json') context.print(tableOf(rows), rows)
  if (met > limit) context.note(`there are more than ${limit}: --limit, or -o jsonl for all`)
}

async function* found(inspector: Inspector, flags: FilterFlags, limit: number): AsyncGenerator<JobRow> {
  const filter = await filterOf(inspector, flags)
  let left = limit
  for (const target of await targetsOf(inspector, flags, STATE_NAMES)) {
    for await (const { ids } of walk(inspector.client, target.base, target.state, filter)) {
      for (let i = 0; i < ids.length && left > 0; i += AT_ONCE) {
        const some = ids.slice(i, i + Math.min(AT_ONCE, left))
        const rows = await rowsOf(inspector.client, target, some)
        left -= rows.length
        yield* rows
      }
      if (left <= 0) return
    }
  }
}

function tableOf(rows: readonly JobRow[]): string {
  const now = Date.now()
  const lines = rows.map(row => [
    row.queue,
    row.id,
    plain(row.name),
    row.state,
    formatMilliseconds(Math.max(0, now - (row.finishedOn ?? row.timestamp))),
    String(row.attemptsMade),
    plain(remark(row)),
  ])
  return textTable([COLUMNS, ...lines])
}

/** What a job says of itself may hold commands for a terminal. */
const plain = (text: string) => text.replaceAll(/\p{Cc}+/gu, ' ')

function remark({ state, failedReason, processedBy, delay, timestamp }: JobRow): string {
  if (state === 'active') return processedBy === undefined ? '' : `on ${processedBy}`
  if (state === 'failed') return (failedReason ?? '').split('\n')[0] ?? ''
  if (state === 'delayed' && delay !== undefined)
    return `due ${new Date(timestamp + delay).toISOString().slice(0, 19)}Z`
  return ''
}

/**
 * `runner migrations test <migration>`: to its end on a copy of the database, with kills in and between its batches; and
 * once more on another copy, without any. Both have to be the same then.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { databasesOf, placesOf } from '../../config.ts'
import { RunnerError, type ErrorCode } from '../../errors.ts'
import { importFlags } from '../../job/import-flags.ts'
import { contentsOf, copyDatabase } from '../../migration/database-copy.ts'
import { openLedgerOf } from '../../migration/databases.ts'
import type { Ledger } from '../../migration/ledger.ts'
import { rowsOf } from '../../migration/shard-ledger.ts'
import type { FromTrial, TrialOrder } from '../../migration/trial-process.ts'
import { addHelp } from '../help.ts'
import type { CliContext } from '../verbs.ts'
import { loadMigration } from './load-migration.ts'

interface TestFlags {
  data: string
  kills: string
  on?: string
  ignore?: string
}

const MOST_KILLS = 1_000
/** Batches between two kills, at most; and milliseconds after the cursor was moved. */
const BATCHES = 4
const LATER = 20
const TRIAL = new URL(
  `../../migration/trial-process.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
)

export function define(command: Command, context: CliContext): void {
  command
    .argument('<migration>', 'its name, or its file')
    .option('--data <json>', 'its arguments', '{}')
    .option('--kills <n>', 'processes that are killed on the way', '10')
    .option('--on <url>', 'a copy that you have made, and that is changed: then nothing is compared')
    .option('--ignore <columns>', 'that may differ: updated_at,users.seen_at')
    .action(async (name: string, flags: TestFlags) => test(name, flags, context))
  addHelp(
    command,
    [
      ['runner migrations test migrate-users'],
      ['runner migrations test scripts/migrate-users.ts --kills 50 --ignore updated_at'],
    ],
    ['ok', 'runtime', 'usage', 'jobFailed', 'notFound'],
  )
}

async function test(name: string, flags: TestFlags, context: CliContext): Promise<void> {
  const kills = Number(flags.kills)
  if (!Number.isInteger(kills) || kills < 0 || kills > MOST_KILLS)
    throw new RunnerError('USAGE', `--kills: expected 0 to ${MOST_KILLS}, got ${JSON.stringify(flags.kills)}`)
  const config = await context.config()
  const databases = databasesOf(config)
  const found = await loadMigration(config, name, flags.data)
  const { database } = found
  const original = databases[database]
  if (original === undefined)
    throw new RunnerError('CONFIG_INVALID', `no database is named ${JSON.stringify(database)}`)
  if (found.hasOrm && flags.on !== original)
    throw new RunnerError(
      'USAGE',
      `${name} has an orm, whose connection is that of its file: it would write to the original`,
      {
        hint: 'let both be a copy that you have made: DATABASE_URL=$COPY runner migrations test ... --on $COPY',
      },
    )
  // So that there are enough of them to be killed in.
  const batch = Math.max(1, Math.floor((await found.estimate(original)) / (kills * BATCHES + 1)))
  const order = (url: string): Omit<TrialOrder, 'isFirst'> => ({
    ...found.order,
    databases: { ...databases, [database]: url },
    files: placesOf(config),
    batch,
  })
  if (flags.on !== undefined) {
    const trial = await runTrial(order(flags.on), kills)
    return report(
      context,
      { name: found.order.name, ...trial, differ: null },
      await countsOf(flags.on, trial.run),
    )
  }
  await using one = await copyDatabase(original)
  await forgetRuns(one.url)
  const killed = await runTrial(order(one.url), kills)
  await using other = await copyDatabase(original)
  await forgetRuns(other.url)
  await runTrial(order(other.url), 0)
  const differ = await difference(one.url, other.url, (flags.ignore ?? '').split(','))
  report(context, { name: found.order.name, ...killed, differ }, await countsOf(one.url, killed.run))
}

interface Trial {
  run: string
  kills: number
}

/** Throws MIGRATION_FAILED when the run fails. */
async function runTrial(order: Omit<TrialOrder, 'isFirst'>, kills: number): Promise<Trial> {
  for (let killed = 0; ; killed++) {
    const end = await attempt({ ...order, isFirst: killed === 0 }, killed < kills)
    if (end === 'killed') continue
    if ('broken' in end) throw new RunnerError(end.broken.code as ErrorCode, end.broken.message)
    const { run, state, error } = end.over
    if (state === 'succeeded') return { run, kills: killed }
    throw new RunnerError('MIGRATION_FAILED', `on a copy the run ${state}: ${error}`)
  }
}

/** Those that the original has had, or has now: they are none of the copy's. */
async function forgetRuns(url: string): Promise<void> {
  await onCopy(url, async ({ db }) => {
    for (const table of ['runs', 'shards']) await db.query(`delete from ${db.dialect.table(table)}`)
  })
}

async function onCopy<T>(url: string, work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const ledger = await openLedgerOf('copy', { copy: url })
  try {
    return await work(ledger)
  } finally {
    await ledger.db.close()
  }
}

type AttemptEnd = 'killed' | Exclude<FromTrial, { batch: true }>

async function attempt(order: TrialOrder, isKilled: boolean): Promise<AttemptEnd> {
  const child = fork(TRIAL, [], { execArgv: importFlags(), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  const end = new Promise<AttemptEnd>(resolve => {
    let batches = 1 + Math.floor(Math.random() * BATCHES)
    child.on('message', (message: FromTrial) => {
      if (!('batch' in message)) resolve(message)
      else if (isKilled && --batches === 0) void kill(child).then(() => resolve('killed'))
    })
    child.once('exit', code =>
      resolve({ broken: { code: 'JOB_CRASHED', message: `its process ended with ${code}` } }),
    )
  })
  child.send(order)
  const ended = await end
  await exited
  return ended
}

/** Inside the transaction that has just moved the cursor, or after it. */
async function kill(child: ChildProcess): Promise<void> {
  await sleep(Math.random() * LATER)
  child.kill('SIGKILL')
}

function countsOf(url: string, run: string): Promise<{ rows: number; failed: number }> {
  return onCopy(url, async ({ shards, failures }) => ({
    rows: rowsOf(await shards.list(run)),
    failed: await failures.count(run),
  }))
}

/** Tables that are not the same in both. */
async function difference(one: string, other: string, ignored: readonly string[]): Promise<string[]> {
  const read = (url: string) => onCopy(url, ({ db }) => contentsOf(db, ignored))
  const [a, b] = [await read(one), await read(other)]
  return [...new Set([...a.keys(), ...b.keys()])].filter(table => a.get(table) !== b.get(table))
}

function report(
  context: CliContext,
  { name, kills, differ }: { name: string; kills: number; differ: string[] | null },
  { rows, failed }: { rows: number; failed: number },
): void {
  const done = `${name}: ${rows.toLocaleString('en')} rows, ${failed.toLocaleString('en')} stepped over, ${kills} kills`
  if (differ !== null && differ.length > 0)
    throw new RunnerError(
      'MIGRATION_FAILED',
      `${done}; without them other rows are in: ${differ.join(', ')}`,
      {
        hint: 'what is written depends on how often it is tried; a column of the time of writing may be left out with --ignore',
        details: { rows, failed, kills, differ },
      },
    )
  const same = differ === null ? '' : '; the same as without them'
  context.print(`${done}${same}`, { name, rows, failed, kills, differ })
}

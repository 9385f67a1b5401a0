/**
 * `npm run bench:migrations`: rows a second of a migration against a loop written by hand, on the same database in the
 * same run; one shard and four, one replica and more. `-- --rows 200000`
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Database } from '../src/migration/database.ts'
import { importFlags } from '../src/job/import-flags.ts'
import { openLedger } from '../src/migration/ledger.ts'
import {
  makeUsers,
  startDatabase,
  touches,
  type DatabaseKind,
  type TestDatabase,
} from '../test/helpers/databases.ts'
import { startRedis } from '../test/helpers/redis.ts'
import { Replica } from '../test/helpers/replica.ts'
import { runner } from '../test/helpers/runner.ts'
import { median } from './measure.ts'
import { idleOfLast } from './skew.ts'
import { takeover } from './takeover.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
})
const ROWS = Number(values.rows)
/** Of the loop: somebody has tried both, and takes the faster one. */
const BATCHES = [2_000, 10_000]
const SETUPS = [
  { shards: 1, replicas: 1 },
  { shards: 4, replicas: 1 },
  { shards: 4, replicas: 2 },
  { shards: 4, replicas: 3 },
]
const LOOP = fileURLToPath(new URL('./hand-loop.ts', import.meta.url))
const jobs = new URL('./migrations', import.meta.url).pathname

await using redis = await startRedis()
for (const kind of ['sqlite', 'postgres'] as const) {
  if (values.only !== undefined && values.only !== kind) continue
  await using server = await startDatabase(kind)
  const loops: number[] = []
  const pairs: number[] = []
  const rates = SETUPS.map((): number[] => [])
  for (let round = 0; round < Number(values.rounds); round++) {
    const tried: number[] = []
    const steps = [
      ...BATCHES.map(batch => async () => void tried.push(await byHand(server, 1, batch))),
      async () => void pairs.push(await byHand(server, 2, 2_000)),
      ...SETUPS.map((setup, i) => async () => void rates[i]?.push(await measure(server, kind, setup))),
    ]
    // Each round begins with another one: what a machine does after a while comes to all of them.
    for (const i of steps.keys()) await steps[(i + round) % steps.length]?.()
    loops.push(Math.max(...tried))
    process.stderr.write('.')
  }
  const twice = median(pairs.map((rate, round) => rate / (loops[round] as number)))
  console.log(
    `\n${kind}: loop by hand ${whole(median(loops))} rows/s; two side by side ${whole(median(pairs))} rows/s, ${twice.toFixed(2)}x`,
  )
  for (const [i, { shards, replicas }] of SETUPS.entries()) {
    const ratio = median((rates[i] ?? []).map((rate, round) => rate / (loops[round] as number)))
    console.log(
      `  ${shards} shards, ${replicas} replicas: ${whole(median(rates[i] ?? []))} rows/s, ${ratio.toFixed(2)}x`,
    )
  }
}

if (values.only === undefined || values.only === 'skew') {
  const measured = []
  for (let round = 0; round < Number(values.rounds); round++)
    measured.push(await idleOfLast(redis, Math.min(ROWS, 200_000)))
  const idle = measured.map(one => `${(100 * one.idle).toFixed(1)} % (${one.shards} shards)`)
  console.log(`\nskewed ids, 3 replicas: the one that was busy least was idle for ${idle.join(', ')}`)
}

if (values.only === undefined || values.only === 'kill') {
  const taken = []
  for (let round = 0; round < Number(values.rounds); round++) taken.push(await takeover(redis, 60_000))
  const gaps = taken.flatMap(one => one.gaps).toSorted((a, b) => a - b)
  const at = (share: number) => ((gaps[Math.floor(share * (gaps.length - 1))] ?? 0) / 1_000).toFixed(1)
  const memory = Math.max(...taken.map(one => one.memory))
  console.log(
    `SIGKILL: ${gaps.length} shards stood still for ${at(0.5)} s (median), ${at(1)} s at most; Redis had ${whole(memory / 1024)} KiB more at most`,
  )
}

/** Rows a second of so many loops side by side, each a process with its part of the ids. */
async function byHand(server: TestDatabase, loops: number, batch: number): Promise<number> {
  await makeTable(server.db)
  const [last] = await server.db.query<{ id: number }>('select max(id) as id from users')
  const edge = (i: number) => String(Math.floor((i * (last?.id ?? 0)) / loops))
  const children = Array.from({ length: loops }, (_, i) =>
    fork(LOOP, [server.url, edge(i), edge(i + 1), String(batch)], { execArgv: importFlags() }),
  )
  const said = () => Promise.all(children.map(child => once(child, 'message')))
  await said()
  const started = performance.now()
  const done = said()
  for (const child of children) child.send('go')
  await done
  return (ROWS * 1_000) / (performance.now() - started)
}

async function measure(
  { url, db }: TestDatabase,
  kind: DatabaseKind,
  { shards, replicas }: (typeof SETUPS)[number],
): Promise<number> {
  await makeTable(db)
  await redis.flush()
  const { runs } = await openLedger(db)
  const env = { DATABASE_URL: url }
  const args = ['--queue', 'migrations:4']
  const start = () => Replica.start({ redis, jobs, env, args, logLevel: 'info' })
  const working = await Promise.all(Array.from({ length: replicas }, start))
  try {
    const given = [
      'enqueue',
      'touch',
      '--again',
      '--shards',
      String(shards),
      kind === 'postgres' ? '--postgres' : '--no-postgres',
    ]
    const { stdout, stderr } = await runner(
      [...given, '--wait', '--json', '--redis', redis.url, '--jobs', jobs],
      { cwd: jobs, env },
    )
    const { id } = JSON.parse(stdout === '' ? stderr : stdout) as { id: string }
    const { startedAt, finishedAt } = await runs.get(id)
    const counts = await touches(db)
    if (counts['1'] !== ROWS) throw new Error(`not every row once: ${JSON.stringify(counts)}`)
    return (ROWS * 1_000) / ((finishedAt ?? 0) - (startedAt ?? 0))
  } finally {
    for (const replica of working) await replica[Symbol.asyncDispose]()
  }
}

/** As one that has been there for a minute: PostgreSQL has analysed it by then. */
async function makeTable(db: Database): Promise<void> {
  await makeUsers(db, ROWS)
  if (db.dialect.name !== 'postgres') return
  await db.query('vacuum analyze users')
  // It would come to one of those that are compared, and not to the others.
  await db.query('alter table users set (autovacuum_enabled = false)')
  await db.query('checkpoint')
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/**
 * Skewed ids: nine tenths of the rows in a hundredth of the range, three replicas, four shards. How much of the run the
 * replica that was busy least had nothing to do.
 */
import { openLedger } from '../src/migration/ledger.ts'
import { startDatabase, touches } from '../test/helpers/databases.ts'
import type { TestRedis } from '../test/helpers/redis.ts'
import { Replica } from '../test/helpers/replica.ts'
import { runner } from '../test/helpers/runner.ts'

const REPLICAS = 3
/** Milliseconds between two batches of a replica that are no idle time. */
const GAP = 250
const jobs = new URL('./migrations', import.meta.url).pathname

interface Interval {
  replica: number
  from: number
  to: number
}

/** Share of the run, 0..1. */
export async function idleOfLast(redis: TestRedis, rows: number): Promise<{ idle: number; shards: number }> {
  await using server = await startDatabase('postgres')
  const dense = Math.round(rows * 0.9)
  await server.db.query(
    `create table users (id integer primary key, email text not null, domain text, touched integer not null default 0)`,
  )
  // Up to a hundred times as many ids as there are dense ones; of the range beyond them every so many-th is taken.
  await server.db.query(
    `insert into users (id, email) select case when i <= ${dense} then i else ${dense} + (i - ${dense}) * 990 end,
       concat('user', i, '@host.example') from generate_series(1, ${rows}) i`,
  )
  await redis.flush()
  const env = { DATABASE_URL: server.url }
  const args = ['--queue', 'migrations:1', '--executors', '1']
  const start = () => Replica.start({ redis, jobs, env, args, logLevel: 'info' })
  const replicas = await Promise.all(Array.from({ length: REPLICAS }, start))
  try {
    const { stdout, stderr } = await runner(
      ['enqueue', 'skewed', '--wait', '--json', '--redis', redis.url, '--jobs', jobs],
      { cwd: jobs, env },
    )
    if (stdout === '') throw new Error(stderr)
    const { id } = JSON.parse(stdout) as { id: string }
    const { runs, shards, failures } = await openLedger(server.db)
    const counts = await touches(server.db)
    if (counts['1'] !== rows) throw new Error(`not every row once: ${JSON.stringify(counts)}`)
    const batches = (await failures.outputs(id)) as Interval[]
    const { startedAt, finishedAt } = await runs.get(id)
    const [from, to] = [startedAt ?? 0, finishedAt ?? 0]
    const pids = new Set(batches.map(({ replica }) => replica))
    const idle = [...pids].map(pid =>
      idleOf(
        batches.filter(({ replica }) => replica === pid),
        from,
        to,
      ),
    )
    const worst = pids.size < REPLICAS ? 1 : Math.max(...idle)
    return { idle: worst, shards: (await shards.list(id)).length }
  } finally {
    for (const replica of replicas) await replica[Symbol.asyncDispose]()
  }
}

function idleOf(batches: readonly Interval[], from: number, to: number): number {
  let busyUntil = from
  let idle = 0
  for (const batch of batches.toSorted((a, b) => a.from - b.from)) {
    if (batch.from - busyUntil > GAP) idle += batch.from - busyUntil
    busyUntil = Math.max(busyUntil, batch.to)
  }
  if (to - busyUntil > GAP) idle += to - busyUntil
  return idle / (to - from)
}

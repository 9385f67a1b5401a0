/**
 * A replica is killed in the middle of a run, with default settings: how long its shards stand still until another replica
 * writes their next batch. And what the run takes of Redis meanwhile.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openLedger } from '../src/migration/ledger.ts'
import { makeUsers, startDatabase, touches } from '../test/helpers/databases.ts'
import type { TestRedis } from '../test/helpers/redis.ts'
import { Replica } from '../test/helpers/replica.ts'
import { runner } from '../test/helpers/runner.ts'

const SHARDS = 16
/** Small, so that the run is long. */
const BATCH = 20
const jobs = new URL('./migrations', import.meta.url).pathname

export interface Takeover {
  /** Milliseconds, of each shard that the dead replica had. */
  gaps: number[]
  /** Bytes that Redis had more at most than before the run. */
  memory: number
}

export async function takeover(redis: TestRedis, rows: number): Promise<Takeover> {
  await using server = await startDatabase('postgres')
  await makeUsers(server.db, rows)
  await redis.flush()
  const env = { DATABASE_URL: server.url }
  const client = redis.client()
  const used = async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
  const start = () => Replica.start({ redis, jobs, env, args: ['--queue', 'migrations:8'], logLevel: 'info' })
  const [victim, other] = [await start(), await start()]
  try {
    const before = await used()
    const args = [
      'enqueue',
      'skewed',
      '--shards',
      String(SHARDS),
      '--json',
      '--redis',
      redis.url,
      '--jobs',
      jobs,
    ]
    const { stdout } = await runner(args, { cwd: jobs, env })
    const { run: id } = JSON.parse(stdout) as { run: string }
    const { runs, db } = await openLedger(server.db)
    await runs.set(id, { batchMax: BATCH })
    let memory = 0
    const look = async () => (memory = Math.max(memory, (await used()) - before))
    const done = async () => (await touches(db))['1'] ?? 0
    while ((await done()) < rows / 5) await Promise.all([look(), sleep(50)])
    const killedAt = Date.now()
    victim.kill('SIGKILL')
    while ((await runs.get(id)).state !== 'succeeded') await Promise.all([look(), sleep(50)])
    const counts = await touches(db)
    if (counts['1'] !== rows) throw new Error(`not every row once: ${JSON.stringify(counts)}`)
    const batches = await db.query<{ shard: number; value: string }>(
      'select shard, value from runner.outputs',
    )
    return { gaps: gapsOf(batches, victim.pid, killedAt), memory }
  } finally {
    client.disconnect()
    for (const replica of [victim, other]) await replica[Symbol.asyncDispose]()
  }
}

function gapsOf(
  batches: readonly { shard: number; value: string }[],
  victim: number,
  killedAt: number,
): number[] {
  const all = batches.map(({ shard, value }) => ({
    shard,
    ...(JSON.parse(value) as { replica: number; from: number; to: number }),
  }))
  return [...new Set(all.map(({ shard }) => shard))].flatMap(shard => {
    const own = all.filter(batch => batch.shard === shard).toSorted((a, b) => a.from - b.from)
    const next = own.findIndex(({ from }) => from > killedAt)
    return next > 0 && own[next - 1]?.replica === victim ? [(own[next]?.from ?? 0) - killedAt] : []
  })
}

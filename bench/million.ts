/**
 * `npm run bench:million`: a million failed jobs, nine of ten of one name. How long `runner jobs list ... | head -5` takes
 * and what it holds; and `runner jobs retry` of all of them, broken off by Ctrl-C on the way and given again, with the
 * count of each state as the oracle. `-- --jobs 100000`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { Queue } from 'bullmq'
import { startRedis } from '../test/helpers/redis.ts'
import { BINARY, cleanEnv } from '../test/helpers/runner.ts'
import { median } from './measure.ts'

const { values } = parseArgs({
  options: { jobs: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '5' } },
})
const JOBS = Number(values.jobs)
const AT_ONCE = 50_000
const FILTER = ['--state', 'failed', '--name', 'send-email']
/** Milliseconds after which Ctrl-C is pressed. */
const BROKEN_AFTER = 5_000

/** Jobs as a worker leaves them, one a millisecond, the newest now. */
const SEED = `
  for i = tonumber(ARGV[1]), tonumber(ARGV[1]) + tonumber(ARGV[2]) - 1 do
    local ended = tonumber(ARGV[3]) - i
    redis.call('HSET', KEYS[1] .. i, 'name', i % 10 == 0 and 'other' or 'send-email', 'data', '{"n":' .. i .. '}',
      'opts', '{"attempts":3}', 'timestamp', ended - 60000, 'processedOn', ended - 5, 'finishedOn', ended,
      'delay', 0, 'priority', 0, 'atm', 3, 'ats', 3, 'failedReason', 'boom')
    redis.call('ZADD', KEYS[1] .. 'failed', ended, i)
  end`

await using redis = await startRedis({ args: ['--save', '', '--appendonly', 'no'] })
const client = redis.client()
const queue = new Queue('mail', { connection: client })
await queue.waitUntilReady()
const now = Date.now()
for (let from = 1; from <= JOBS; from += AT_ONCE)
  await client.eval(SEED, 1, queue.toKey(''), from, Math.min(AT_ONCE, JOBS - from + 1), now)

const looks: { ms: number; rss: number }[] = []
for (let round = 0; round < Number(values.rounds); round++) looks.push(await firstFive())
console.log(
  `jobs list | head -5 of ${JOBS.toLocaleString('en')}: ${median(looks.map(one => one.ms)).toFixed(0)} ms, ${(median(looks.map(one => one.rss)) / 1024).toFixed(0)} MiB at most`,
)

const first = await retry(BROKEN_AFTER)
const left = await queue.getJobCounts('failed', 'wait')
console.log(
  `jobs retry, Ctrl-C after ${BROKEN_AFTER / 1_000} s: exit ${first.code}, ${first.said}; ${JSON.stringify(left)}`,
)
const second = await retry()
const end = await queue.getJobCounts('failed', 'wait')
console.log(
  `the same again: exit ${second.code}, ${second.said}, in ${(second.ms / 1_000).toFixed(1)} s; ${JSON.stringify(end)}; shown on the way: ${second.shown}`,
)
// Each once: what was retried twice would be in the list twice.
const ids = await client.lrange(queue.toKey('wait'), 0, -1)
const kept = JOBS - Math.floor(JOBS / 10)
if (ids.length !== kept || new Set(ids).size !== kept)
  throw new Error(`expected ${kept} jobs once, got ${ids.length}`)
await queue.close()

/** As in a shell: `runner jobs list ... -o jsonl | head -5`. `rss` in KiB. */
async function firstFive(): Promise<{ ms: number; rss: number }> {
  const started = performance.now()
  const child = spawn(
    process.execPath,
    [BINARY, 'jobs', 'list', ...FILTER, '--since', '1h', '-o', 'jsonl', '--redis', redis.url],
    {
      env: { ...cleanEnv(), NODE_OPTIONS: `--import=${new URL('./report-memory.ts', import.meta.url).href}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let rss = 0
  createInterface({ input: child.stderr }).on('line', line => {
    rss = Number(/^maxrss (\d+)$/.exec(line)?.[1] ?? rss)
  })
  let lines = 0
  for await (const line of createInterface({ input: child.stdout })) {
    if ((JSON.parse(line) as { name: string }).name !== 'send-email') throw new Error(line)
    if (++lines === 5) break
  }
  child.stdout.destroy()
  await once(child, 'close')
  if (lines !== 5) throw new Error(`${lines} lines`)
  return { ms: performance.now() - started, rss }
}

async function retry(
  breakAfter?: number,
): Promise<{ code: number | null; said: string; ms: number; shown: number }> {
  const started = performance.now()
  const child = spawn(process.execPath, [BINARY, 'jobs', 'retry', ...FILTER, '--yes', '--redis', redis.url], {
    env: cleanEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let shown = 0
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  createInterface({ input: child.stderr }).on('line', () => shown++)
  if (breakAfter !== undefined) setTimeout(() => child.kill('SIGINT'), breakAfter)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said: said.trim(), ms: performance.now() - started, shown }
}

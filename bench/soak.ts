/**
 * `npm run soak`: three replicas under load for half an hour, one or two random faults at a time, the oracle of
 * `runner verify`, and what the heap of a supervisor holds that lives through all of it.
 *
 *   npm run soak -- --duration 3m --seed 7
 *
 * Exits 1 when a job was lost, run twice at once, or kept a stale result, and when the heap grows by more than a tenth.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { resolveConfig } from '../src/config.ts'
import { openRedis } from '../src/redis/connection.ts'
import { milliseconds } from '../src/units.ts'
import { FAULTS, type Fault } from '../src/verify/faults.ts'
import { isViolated, percentile } from '../src/verify/oracle.ts'
import { Verification } from '../src/verify/verification.ts'
import { startRedis } from '../test/helpers/redis.ts'
import { growthOf, type HeapSample } from './heap-growth.ts'

const { values } = parseArgs({
  options: { duration: { type: 'string', default: '30m' }, seed: { type: 'string' } },
})
const duration = milliseconds(values.duration)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
console.log(`soak of ${values.duration}, --seed ${seed}`)

const dir = mkdtempSync(join(tmpdir(), 'soak-'))
process.env['SOAK_DIR'] = dir
process.env['NODE_OPTIONS'] = `--import ${new URL('./heap-probe.ts', import.meta.url).href} --no-warnings`

const totals = { rounds: 0, jobs: 0, runs: 0, lost: 0, double: 0, stale: 0, failed: 0, superseded: 0 }
const recovery: number[] = []
let violated = false
const redis = await startRedis()
const handle = await openRedis(await resolveConfig({ cwd: dir, env: {}, flags: { redis: redis.url } }))
try {
  await new Verification({
    redis: handle,
    subject: 'runner',
    rounds: randomRounds(),
    jobs: 60,
    spared: 1,
    signal: new AbortController().signal,
    onVerdict: (faults, verdict) => {
      totals.rounds++
      totals.jobs += verdict.jobs
      totals.runs += verdict.runs
      totals.superseded += verdict.superseded
      for (const kind of ['lost', 'double', 'stale', 'failed'] as const) totals[kind] += verdict[kind].length
      recovery.push(...verdict.recovery)
      if (!isViolated(verdict)) return
      violated = true
      console.log(`VIOLATED by ${faults.join(' and ')}:`, verdict)
    },
  }).run()
} finally {
  await handle.close()
  await redis.stop()
}
const growth = growthOf(longest())
rmSync(dir, { recursive: true, force: true })
recovery.sort((a, b) => a - b)
console.log(
  Object.entries(totals)
    .map(([name, count]) => `${count} ${name}`)
    .join(', '),
)
console.log(
  `recovery p50 ${percentile(recovery, 0.5)} ms, p99 ${percentile(recovery, 0.99)} ms of ${recovery.length}`,
)
console.log(growth.text)
process.exitCode = violated || growth.isGrowing ? 1 : 0

function* randomRounds(): Iterable<readonly Fault[]> {
  // A linear congruential generator, of Numerical Recipes: the same seed is the same soak.
  let state = seed
  const below = (n: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  const end = performance.now() + duration
  while (performance.now() < end) {
    const first = FAULTS[below(FAULTS.length)] as Fault
    const second = FAULTS[below(FAULTS.length)] as Fault
    // One replica has to be left that works, and two canaries of a kind are one.
    yield below(2) === 0 || first === second ? [first] : [first, second]
  }
}

/** Of the supervisor that lived longest: no fault ends the first one. */
function longest(): HeapSample[] {
  const all = readdirSync(dir).flatMap(file => {
    if (!/^\d+$/.test(file)) return []
    const lines = readFileSync(join(dir, file), 'utf8').trim().split('\n')
    return [lines.map(line => line.split(' ').map(Number) as [number, number, number])]
  })
  const [most = []] = all.toSorted((a, b) => b.length - a.length)
  return most.map(([at, heap, rss]) => ({ at, heap, rss }))
}

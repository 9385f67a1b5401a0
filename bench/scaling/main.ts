/**
 * `npm run bench:scaling`: three signals, three loads, each in a closed loop of the autoscaler's arithmetic and a fleet of
 * `runner work` processes on a real Redis. Time is compressed: with `--speed 12` a second of the loop is a twelfth of one, and
 * so are the jobs and the start of a pod.
 *
 *   npm run bench:scaling -- --only steady --signal ours
 *   npm run bench:scaling -- --model                       no processes: a fleet that is only reckoned
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { startRedis } from '../../test/helpers/redis.ts'
import { LOADS, type Load } from './loads.ts'
import { modelled } from './model.ts'
import { openFleet, run, type Figures } from './run.ts'
import { GAUGES, type Signal } from './signals.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    signal: { type: 'string' },
    speed: { type: 'string', default: '12' },
    minutes: { type: 'string', default: '24' },
    seed: { type: 'string', default: '1' },
    model: { type: 'boolean', default: false },
  },
})
const [speed, minutes, seed] = [Number(values.speed), Number(values.minutes), Number(values.seed)]
const chosen = <T extends string>(all: Record<T, unknown>, given: string | undefined) =>
  (Object.keys(all) as T[]).filter(one => given === undefined || one === given)

console.log('| load | signal | pod starts | busy pods stopped | wait p50 / p95 | replicas, mean |')
console.log('|---|---|--:|--:|--:|--:|')
if (values.model) {
  const seeds = [1, 2, 3, 4, 5].map(each => seed + each - 1)
  await each((load, signal) => Promise.resolve(modelled(load, signal, seeds)))
} else {
  await using redis = await startRedis()
  await using fleet = await openFleet(redis, speed)
  await each((load, signal) => run({ load, signal, redis, fleet, minutes, speed, seed }))
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor'
  const machine = `${cpus().length} x ${processor}, Node ${process.version}`
  console.log(`\n${minutes} minutes each, ${speed} times faster, seed ${seed}; ${machine}.`)
}

async function each(figures: (load: Load, signal: Signal) => Promise<Figures>): Promise<void> {
  for (const load of chosen<Load>(LOADS, values.only))
    for (const signal of chosen<Signal>(GAUGES, values.signal))
      console.log(rowOf(load, signal, await figures(load, signal)))
}

function rowOf(load: Load, signal: Signal, { starts, evictions, p50, p95, replicas }: Figures): string {
  const waits = `${p50.toFixed(1)} / ${p95.toFixed(1)} s`
  return `| ${load} | ${signal} | ${count(starts)} | ${count(evictions)} | ${waits} | ${replicas.toFixed(1)} |`
}

/** Of a mean, one decimal. */
function count(figure: number): string {
  return Number.isInteger(figure) ? String(figure) : figure.toFixed(1)
}

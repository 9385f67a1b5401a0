/**
 * The same closed loop with a fleet that is only reckoned: an hour and forty replicas in a second, so that a change of the
 * estimate can be looked at before processes are started for it.
 */
import type { QueueSignal } from '../../src/redis/queue-signal.ts'
import { estimate } from '../../src/scaling/estimate.ts'
import { Hpa, type HpaSpec } from './hpa.ts'
import { JOB_SECONDS, LOADS, dice, exponential, poisson, type Load } from './loads.ts'
import { CONCURRENCY, SPEC, type Figures } from './run.ts'
import type { Signal } from './signals.ts'

/** Seconds. */
const STEP = 0.1
const SYNC = 15
const POLL_AGE = 7
const POD_START = 20

interface Pod {
  readyAt: number
  /** When each of its jobs is done. */
  ends: number[]
}

interface ModelOptions {
  /** Jobs a second at each moment. */
  rate: (at: number) => number
  signal: Signal
  spec: HpaSpec
  concurrency: number
  minutes: number
  seed: number
}

/** What two cores have no room for: forty replicas, two and a half times the load, an hour. The mean of some seeds. */
export function modelled(load: Load, signal: Signal, seeds: readonly number[]): Figures {
  const spec = { ...SPEC, maxReplicas: 40 }
  const rate = (at: number) => 2.5 * LOADS[load](at)
  const runs = seeds.map(seed => model({ rate, signal, spec, concurrency: CONCURRENCY, minutes: 60, seed }))
  const mean = (figure: keyof Figures) => runs.reduce((sum, run) => sum + run[figure], 0) / runs.length
  return {
    jobs: mean('jobs'),
    starts: mean('starts'),
    evictions: mean('evictions'),
    p50: mean('p50'),
    p95: mean('p95'),
    replicas: mean('replicas'),
  }
}

function model({ rate, signal, spec, concurrency, minutes, seed }: ModelOptions): Figures {
  const roll = dice(seed)
  const hpa = new Hpa(spec)
  let pods: Pod[] = Array.from({ length: spec.minReplicas }, () => ({ readyAt: 0, ends: [] }))
  let leaving: Pod[] = []
  /** When each of the jobs that wait was added. */
  const queue: number[] = []
  const waits: number[] = []
  const figures = { starts: 0, evictions: 0 }
  let metric = 0
  let sizes = 0
  const end = minutes * 60
  const ticks = Math.round(end / STEP)
  for (let tick = 1; tick <= ticks; tick++) {
    const now = tick * STEP
    for (const pod of [...pods, ...leaving]) pod.ends = pod.ends.filter(at => at > now)
    leaving = leaving.filter(({ ends }) => ends.length > 0)
    for (let left = poisson(rate(now) * STEP, roll); left > 0; left--) queue.push(now)
    const open = pods.filter(({ readyAt }) => readyAt <= now)
    while (queue.length > 0) {
      const pod = open.toSorted((a, b) => a.ends.length - b.ends.length)[0]
      if (pod === undefined || pod.ends.length >= concurrency) break
      waits.push(now - (queue.shift() ?? now))
      pod.ends.push(now + exponential(JOB_SECONDS, roll))
    }
    const active = [...pods, ...leaving].reduce((sum, { ends }) => sum + ends.length, 0)
    const phase = tick % Math.round(SYNC / STEP)
    if (phase === Math.round((SYNC - POLL_AGE) / STEP)) {
      const oldest = queue[0] === undefined ? null : (now - queue[0]) * 1_000
      metric = METRICS[signal](queue.length, active, oldest, concurrency)
    }
    if (phase !== 0) continue
    const size = hpa.sync(now, pods.length, metric, TARGETS[signal](concurrency))
    sizes += size * SYNC
    for (; pods.length < size; figures.starts++) pods.push({ readyAt: now + POD_START, ends: [] })
    // Who is not ready first, then who has been for the shortest time.
    const byAge = pods.toSorted((a, b) => a.readyAt - b.readyAt)
    figures.evictions += byAge.slice(size).filter(({ ends }) => ends.length > 0).length
    leaving.push(...byAge.slice(size))
    pods = byAge.slice(0, size)
  }
  const all = [...waits, ...queue.map(at => end - at)].toSorted((a, b) => a - b)
  const of = (share: number) => all[Math.floor(all.length * share)] ?? 0
  return { jobs: all.length, ...figures, p50: of(0.5), p95: of(0.95), replicas: sizes / end }
}

type Reading = (waiting: number, active: number, oldest: number | null, concurrency: number) => number

const METRICS: Record<Signal, Reading> = {
  list: waiting => waiting,
  'wait+active': (waiting, active) => waiting + active,
  ours: (waiting, active, oldestAge, concurrency) =>
    estimate({
      signal: { ...IDLE, waiting, active, oldestAge },
      rules: RULES,
      concurrency,
      concurrencyFrom: 'replicas',
      jobTime: JOB_SECONDS * 1_000,
      jobTimeFrom: 'measured',
      replicas: 1,
    }).desiredReplicas,
}

const TARGETS: Record<Signal, (concurrency: number) => number> = {
  list: () => 10,
  'wait+active': concurrency => concurrency,
  ours: () => 1,
}

const IDLE: QueueSignal = {
  queue: 'naps',
  paused: false,
  waiting: 0,
  prioritized: 0,
  active: 0,
  delayed: 0,
  dueDelayed: 0,
  dueNow: 0,
  isOrphaned: false,
  waitingChildren: 0,
  failed: 0,
  completed: 0,
  nextDue: null,
  oldestAge: null,
  globalConcurrency: null,
  rateLimit: null,
}

/** The defaults. */
const RULES = {
  minReplicas: 0,
  maxReplicas: undefined,
  drainTarget: 60_000,
  latencyObjective: 60_000,
  jobTime: 1_000,
  scaleLead: 45_000,
}

/** What is told to Prometheus of events, and what is read of a replica when it asks. */
import { Histogram, Registry } from '@prometheus-io/client'
import { beforeEach, describe, expect, it } from 'vitest'
import { Events } from '../../../src/observe/events.ts'
import { replicaMetrics } from '../../../src/observe/metrics/replica-metrics.ts'
import type { ReplicaView } from '../../../src/observe/metrics/replica-view.ts'
import { SECONDS } from '../../../src/observe/metrics/series.ts'

const REF = { queue: 'mail', job: 'send', id: '7' }
/** Mutable where the real one changes. */
type Played = { -readonly [K in keyof ReplicaView]: ReplicaView[K] }

let events: Events
let view: Played
let registry: Registry

beforeEach(() => {
  events = new Events()
  view = {
    isHandler: name => ['send', 'resize'].includes(name),
    slots: { mail: 10 },
    slotsUsed: { mail: 3 },
    executors: [
      { id: 1, state: 'ready' },
      { id: 2, state: 'booting' },
    ],
    blocked: 0,
    abandoned: 0,
    draining: false,
    residentBytes: async () => 50e6,
  }
  registry = replicaMetrics(events, view)
})

/** Lines of one series or of all that begin so, without their help. */
async function lines(start: string): Promise<string[]> {
  const text = await registry.metrics()
  return text.split('\n').filter(line => line.startsWith(start))
}
const valueOf = async (series: string) => {
  const [line] = await lines(`${series} `)
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}
const finished = (outcome: string, name = 'send') =>
  valueOf(`runner_jobs_finished_total{queue="mail",name="${name}",outcome="${outcome}"}`)

describe('jobs', () => {
  it('are counted by what became of them, each once', async () => {
    events.emit('job.completed', { ...REF, attempt: 1, ms: 20 })
    events.emit('job.completed', { ...REF, attempt: 1, ms: 30 })
    // As the settlement of a `Retry` tells it: with the delay first.
    events.emit('job.delayed', { ...REF, kind: 'retry', delay: 5 })
    events.emit('job.failed', { ...REF, attempt: 1, ms: 40, error: 'no', final: false })
    events.emit('job.failed', { ...REF, attempt: 2, ms: 40, error: 'no', final: true })
    events.emit('job.delayed', { ...REF, kind: 'snooze', delay: 5 })
    events.emit('job.handed-back', { ...REF, reason: 'shutdown' })
    const outcomes = ['completed', 'retried', 'failed', 'snoozed', 'handed_back', 'put_back']
    expect(await Promise.all(outcomes.map(outcome => finished(outcome)))).toEqual([2, 1, 1, 1, 1, 0])
    expect(
      await lines('runner_job_duration_seconds_count').then(all => all.map(line => line.split(' ')[1])),
    ).toEqual(['2', '2'])
  })

  it('have their durations and waits as the library of Prometheus would have them', async () => {
    const theirs = new Registry()
    const histogram = new Histogram({
      name: 'runner_job_wait_seconds',
      help: '-',
      labelNames: ['queue', 'name'],
      buckets: SECONDS,
      registers: [theirs],
    })
    for (const wait of [0, 1, 4, 5, 6, 59_999, 60_000, 3_600_000, 3_600_001, 86_400_000]) {
      events.emit('run.started', { queue: 'mail', job: 'send', wait })
      histogram.observe({ queue: 'mail', name: 'send' }, wait / 1_000)
    }
    // Of a later start it is not known.
    events.emit('run.started', { queue: 'mail', job: 'send', wait: undefined })
    const expected = (await theirs.metrics()).split('\n').filter(line => line.startsWith('runner_'))
    // The order of labels is nobody's business.
    const sorted = (all: string[]) =>
      all.map(line =>
        line.replace(/\{(.*)\}/, (_, inner: string) => `{${inner.split(',').sort().join(',')}}`),
      )
    expect(sorted(await lines('runner_job_wait_seconds'))).toEqual(sorted(expected))
  })

  it('of 10,000 names that nobody has a handler for make no series', async () => {
    const tell = (job: string) => {
      const ref = { queue: 'mail', job, id: job }
      events.emit('run.started', { queue: 'mail', job, wait: 1 })
      events.emit('job.completed', { ...ref, attempt: 1, ms: 1 })
      events.emit('job.failed', { ...ref, attempt: 1, ms: 1, error: job, final: true })
      events.emit('job.handed-back', { ...ref, reason: job })
      events.emit('job.unknown', { ...ref, putBack: true })
      events.emit('job.superseded', { ...ref, fence: 1, reason: job })
      events.emit('job.blocked', { ...ref, executor: 1, ms: 1_000, where: job })
      events.emit('job.unblocked', { ...ref, executor: 1, ms: 1_000 })
      events.emit('worker.error', { queue: 'mail', message: job })
      events.emit('migration.progressed', { job, rows: 1, batch: 1, held: 'query' })
    }
    tell('no-such-job')
    const before = (await registry.metrics()).split('\n').length
    for (let i = 1; i < 10_000; i++) tell(`../../bad "name"\n${i}`)
    const text = await registry.metrics()
    expect(text.split('\n')).toHaveLength(before)
    expect(text).not.toContain('bad')
    expect(await finished('completed', '_other')).toBe(10_000)
    expect(await finished('put_back', '_other')).toBe(10_000)
    expect(text).toContain('runner_job_blocks_total{queue="mail",name="_other"} 10000\n')
  })

  it('that are seen for the first time have all their series, at zero', async () => {
    events.emit('run.started', { queue: 'mail', job: 'resize', wait: 1 })
    expect(await finished('failed', 'resize')).toBe(0)
    expect(await lines('runner_job_blocked_seconds_total')).toEqual([
      'runner_job_blocked_seconds_total{queue="mail",name="resize"} 0',
    ])
  })
})

describe('blocks', () => {
  const blocked = (executor: number, own: object = REF) =>
    events.emit('job.blocked', { ...own, executor, ms: 1_000, where: 'in send' })
  const counted = async (name = 'send', queue = 'mail') => [
    await valueOf(`runner_job_blocks_total{queue="${queue}",name="${name}"}`),
    await valueOf(`runner_job_blocked_seconds_total{queue="${queue}",name="${name}"}`),
  ]
  const end = (executor: number) =>
    events.emit('executor.ended', { executor, cause: 'blocked', reason: 'limit', handedBack: 0 })

  it('are counted once, when they are over, however often they are reported', async () => {
    blocked(1)
    blocked(1)
    expect(await counted()).toEqual([undefined, undefined])
    events.emit('job.unblocked', { ...REF, executor: 1, ms: 2_500 })
    expect(await counted()).toEqual([1, 2.5])
    end(1)
    expect(await counted()).toEqual([1, 2.5])
  })

  it('that end with their executor last until then', async () => {
    blocked(1)
    end(1)
    const [count, seconds] = await counted()
    expect(count).toBe(1)
    expect(seconds).toBeGreaterThanOrEqual(1)
    expect(seconds).toBeLessThan(2)
    expect(await valueOf('runner_executor_ends_total{cause="blocked"}')).toBe(1)
  })

  it('of native code that nobody can tell are counted all the same, and once', async () => {
    blocked(1, { candidates: ['send 7', 'send 8'] })
    end(1)
    view.executors = []
    // The call has returned, and only now the line is known.
    blocked(1)
    end(1)
    expect(await counted()).toEqual([undefined, undefined])
    expect((await counted('_other', '_other'))[0]).toBe(1)
  })
})

describe('migrations', () => {
  const told = { job: 'resize', rows: 300, batch: 100 }
  const rows = (name = 'resize') => valueOf(`runner_migration_rows_total{name="${name}"}`)
  const batch = () => valueOf('runner_migration_batch_rows{name="resize"}')
  const holds = async () => (await lines('runner_migration_holds_total')).map(line => line.slice(28))

  it('have their rows added up, and the size of their last batch', async () => {
    expect(await lines('runner_migration')).toEqual([])
    events.emit('migration.progressed', told)
    events.emit('migration.progressed', { ...told, rows: 50, batch: 20 })
    events.emit('migration.progressed', { job: 'send', rows: 7, batch: 7 })
    expect([await rows(), await batch(), await rows('send')]).toEqual([350, 20, 7])
  })

  it('that have to wait are counted by the kind of signal, whatever it calls itself, and keep the rest', async () => {
    events.emit('migration.progressed', told)
    events.emit('migration.progressed', { job: 'resize', rows: 0, held: 'query' })
    events.emit('migration.progressed', { job: 'resize', rows: 0, held: 'query' })
    const own = 'said by an author' as 'other'
    events.emit('migration.progressed', { job: 'resize', rows: 0, held: own })
    expect(await holds()).toEqual([
      '{name="resize",reason="replica_lag"} 0',
      '{name="resize",reason="query"} 2',
      '{name="resize",reason="http"} 0',
      '{name="resize",reason="other"} 1',
    ])
    expect([await rows(), await batch()]).toEqual([300, 100])
  })
})

describe('its verdict', () => {
  it('is the one that probes are told', async () => {
    expect(await lines('runner_verdict')).toEqual(['runner_verdict{verdict="starting"} 1'])
    events.emit('verdict.changed', { verdict: 'idle', was: 'starting', why: '' })
    events.emit('verdict.changed', { verdict: 'wedged', was: 'idle', why: 'mail: 3 wait', queue: 'mail' })
    expect((await lines('runner_verdict')).filter(line => line.endsWith(' 1'))).toEqual([
      'runner_verdict{verdict="wedged"} 1',
    ])
    events.emit('worker.recreated', { queue: 'mail', ms: 45_000, waiting: 3, running: 0 })
    expect(await valueOf('runner_workers_recreated_total{queue="mail"}')).toBe(1)
  })
})

describe('Redis', () => {
  it.each([
    ['readonly', 'readonly'],
    ['connection', 'connection'],
    ['a word of a later Redis', 'other'],
  ])('refuses with %s, which is counted as %s', async (kind, counted) => {
    events.emit('redis.error', { queue: 'mail', kind, message: 'whatever' })
    const kinds = await lines('runner_redis_errors_total')
    expect(kinds.filter(line => !line.endsWith(' 0'))).toEqual([
      `runner_redis_errors_total{kind="${counted}"} 1`,
    ])
  })

  it('is up unless it answers nothing', async () => {
    expect(await valueOf('runner_redis_up')).toBe(1)
    events.emit('redis.silent', { ms: 2_000 })
    expect(await valueOf('runner_redis_up')).toBe(0)
    events.emit('redis.answers', { ms: 9_000 })
    expect(await valueOf('runner_redis_up')).toBe(1)
  })

  it('answers renewals in so long, and is not taken for fast when there was nothing to renew', async () => {
    events.emit('locks.renewed', { queue: 'mail', delay: 400, roundTrip: 30 })
    events.emit('locks.renewed', { queue: 'mail', delay: 1, roundTrip: undefined })
    expect(await valueOf('runner_redis_round_trip_seconds_count')).toBe(1)
    expect(await valueOf('runner_redis_round_trip_seconds_sum')).toBe(0.03)
    expect(await valueOf('runner_lock_renewal_delay_seconds_bucket{le="0.25",queue="mail"}')).toBe(1)
    expect(await valueOf('runner_lock_renewal_delay_seconds_bucket{le="0.5",queue="mail"}')).toBe(2)
  })
})

it('reads of a replica how it is when it is asked', async () => {
  view.slotsUsed = { mail: 10 }
  view.executors = [{ id: 2, state: 'ready' }]
  view.blocked = 1
  view.abandoned = 2
  view.draining = true
  const wanted = {
    'runner_slots{queue="mail"}': 10,
    'runner_slots_used{queue="mail"}': 10,
    'runner_executors{state="ready"}': 1,
    'runner_executors{state="booting"}': 0,
    runner_executors_blocked: 1,
    runner_executors_abandoned: 2,
    runner_draining: 1,
    runner_resident_memory_bytes: 50e6,
    'runner_jobs_stalled_total{queue="mail"}': 0,
  }
  for (const [series, value] of Object.entries(wanted))
    expect([series, await valueOf(series)]).toEqual([series, value])
})

it('counts what becomes of locks by queue', async () => {
  events.emit('job.superseded', { ...REF, fence: 1, reason: 'started again' })
  events.emit('job.reclaimed', { ...REF, fence: 1 })
  events.emit('job.reclaimed', { ...REF, fence: 1 })
  events.emit('job.stalled', { queue: 'mail', id: '9' })
  const of = (what: string) => valueOf(`runner_jobs_${what}_total{queue="mail"}`)
  expect([await of('superseded'), await of('reclaimed'), await of('stalled')]).toEqual([1, 2, 1])
})

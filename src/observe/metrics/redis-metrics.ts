/** Redis as a replica meets it: what it refuses, and how long it takes to answer. */
import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client'
import type { Events } from '../events.ts'

/** Seconds. */
const ROUND_TRIPS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** As `redis.error` has them; `other` is any that is not among them. */
const KINDS = [
  'readonly',
  'oom',
  'misconf',
  'noperm',
  'noauth',
  'wrongpass',
  'loading',
  'masterdown',
  'clusterdown',
  'noreplicas',
  'timeout',
  'connection',
  'other',
] as const

export function redisMetrics(registry: Registry, events: Events): void {
  const registers = [registry]
  const errors = new Counter({
    name: 'runner_redis_errors_total',
    help: 'Refusals of Redis and losses of connections to it, by what was said.',
    labelNames: ['kind'],
    registers,
  })
  for (const kind of KINDS) errors.inc({ kind }, 0)
  const roundTrips = new Histogram({
    name: 'runner_redis_round_trip_seconds',
    help: 'Time until Redis had renewed the locks of a queue.',
    buckets: ROUND_TRIPS,
    registers,
  })
  events.on('redis.error', ({ kind }) => errors.inc({ kind: KINDS.find(known => known === kind) ?? 'other' }))
  let isSilent = false
  events.on('redis.silent', () => void (isSilent = true))
  events.on('redis.answers', () => void (isSilent = false))
  void new Gauge({
    name: 'runner_redis_up',
    help: '0 while Redis answers nothing.',
    registers,
    collect() {
      this.set(isSilent ? 0 : 1)
    },
  })
  events.on('locks.renewed', ({ roundTrip }) => {
    if (roundTrip !== undefined) roundTrips.observe(roundTrip / 1_000)
  })
}

/** Redis as a replica meets it: what it refuses, and how long it takes to answer. */
import { Counter, Histogram, type Registry } from '@prometheus-io/client'
import type { Events } from '../events.ts'

/** Seconds. */
const ROUND_TRIPS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** In this order. A script hands on what a command of it answered, so it may stand anywhere. */
const KINDS = {
  readonly: /\bREADONLY\b/,
  oom: /\bOOM\b/,
  misconf: /\bMISCONF\b/,
  noperm: /\b(NOPERM|NOAUTH|WRONGPASS)\b/,
  timeout: /timed? ?out|ETIMEDOUT/i,
  connection:
    /ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|connection is closed|socket closed|\bLOADING\b/i,
} as const

type RedisErrorKind = keyof typeof KINDS | 'other'

function redisErrorKind(message: string): RedisErrorKind {
  for (const [kind, said] of Object.entries(KINDS)) if (said.test(message)) return kind as RedisErrorKind
  return 'other'
}

export function redisMetrics(registry: Registry, events: Events): void {
  const registers = [registry]
  const errors = new Counter({
    name: 'runner_redis_errors_total',
    help: 'Errors that workers met outside of handlers, by what Redis or the connection to it said.',
    labelNames: ['kind'],
    registers,
  })
  for (const kind of [...Object.keys(KINDS), 'other']) errors.inc({ kind }, 0)
  const roundTrips = new Histogram({
    name: 'runner_redis_round_trip_seconds',
    help: 'Time until Redis had renewed the locks of a queue.',
    buckets: ROUND_TRIPS,
    registers,
  })
  events.on('worker.error', ({ message }) => errors.inc({ kind: redisErrorKind(message) }))
  events.on('locks.renewed', ({ roundTrip }) => {
    if (roundTrip !== undefined) roundTrips.observe(roundTrip / 1_000)
  })
}

/**
 * What a replica tells Prometheus: counted from its events as they come, and read of it when it is asked, which asks
 * nothing of its executors and nothing of Redis. Labels are queues that it works, names that have a handler, and words
 * of ours; never an id, and never what somebody else wrote.
 */
import { Registry } from '@prometheus-io/client'
import type { Events } from '../events.ts'
import { blockMetrics } from './block-metrics.ts'
import { executorMetrics } from './executor-metrics.ts'
import { healthMetrics } from './health-metrics.ts'
import { jobMetrics } from './job-metrics.ts'
import { JobSeries } from './job-series.ts'
import { lockMetrics } from './lock-metrics.ts'
import { migrationMetrics } from './migration-metrics.ts'
import { processMetrics } from './process-metrics.ts'
import { redisMetrics } from './redis-metrics.ts'
import type { ReplicaView } from './replica-view.ts'

/** Listens from now on. */
export function replicaMetrics(events: Events, view: ReplicaView): Registry {
  const registry = new Registry()
  const isHandler = (name: string) => view.isHandler(name)
  const series = new JobSeries(registry, isHandler)
  jobMetrics(series, events)
  blockMetrics(registry, series, events, view)
  executorMetrics(registry, events, view)
  migrationMetrics(registry, events, isHandler)
  lockMetrics(registry, events, view)
  redisMetrics(registry, events)
  healthMetrics(registry, events, view)
  processMetrics(registry, view)
  return registry
}

/** The executors of a replica: how many, how they ended, and how their event loops turn. */
import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client'
import { END_CAUSES, type Events } from '../events.ts'
import type { ReplicaView } from './replica-view.ts'

/** Seconds. A loop beats every 0.1 s; what is beyond 0.3 s gets no new job. */
const TURNS = [0.12, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

const STATES = ['booting', 'ready', 'ending'] as const

export function executorMetrics(registry: Registry, events: Events, view: ReplicaView): void {
  const registers = [registry]
  void new Gauge({
    name: 'runner_executors',
    help: 'Executors by state.',
    labelNames: ['state'],
    registers,
    collect() {
      const { executors } = view
      for (const state of STATES) this.set({ state }, executors.filter(one => one.state === state).length)
    },
  })
  void new Gauge({
    name: 'runner_executors_abandoned',
    help: 'Executors inside native code that does not return, which were given up.',
    registers,
    collect() {
      this.set(view.abandoned)
    },
  })
  const ends = new Counter({
    name: 'runner_executor_ends_total',
    help: 'Executors that ended before their time or with jobs, by cause.',
    labelNames: ['cause'],
    registers,
  })
  // A rate is known only of a series that was there before.
  for (const cause of END_CAUSES) ends.inc({ cause }, 0)
  const turns = new Histogram({
    name: 'runner_executor_loop_seconds',
    help: 'Time between two turns of the event loop of an executor that were noticed; 0.1 s when nothing holds it.',
    buckets: TURNS,
    registers,
  })
  events.on('executor.ended', ({ cause }) => ends.inc({ cause }))
  events.on('executor.turned', ms => turns.observe(ms / 1_000))
}

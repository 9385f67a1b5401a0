/**
 * The process of a replica. Not by `collectDefaultMetrics`: that watches every garbage collection, and some of its names
 * are refused by `promtool check metrics`.
 */
import { createRequire } from 'node:module'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from '@prometheus-io/client'
import { VERSION } from '../../version.ts'
import type { ReplicaView } from './replica-view.ts'

/** Milliseconds between two looks at the loop. */
const RESOLUTION = 50
const NANOSECONDS = 1e9

const { version: bullmq } = createRequire(import.meta.url)('bullmq/package.json') as { version: string }

export function processMetrics(registry: Registry, view: ReplicaView): void {
  const registers = [registry]
  new Gauge({
    name: 'runner_info',
    help: '1; the versions are in the labels.',
    labelNames: ['version', 'node', 'bullmq'],
    registers,
  }).set({ version: VERSION, node: process.version.slice(1), bullmq }, 1)
  void new Gauge({
    name: 'runner_draining',
    help: '1 when the replica takes no more jobs.',
    registers,
    collect() {
      this.set(view.draining ? 1 : 0)
    },
  })
  for (const [name, help, of] of [
    ['runner_slots', 'Jobs that this replica runs at once at most.', () => view.slots],
    ['runner_slots_used', 'Jobs that this replica runs.', () => view.slotsUsed],
  ] as const)
    void new Gauge({
      name,
      help,
      labelNames: ['queue'],
      registers,
      collect() {
        for (const [queue, slots] of Object.entries(of())) this.set({ queue }, slots)
      },
    })
  void new Gauge({
    name: 'runner_resident_memory_bytes',
    help: 'Memory of the replica, with the processes of its executors.',
    registers,
    async collect() {
      this.set(await view.residentBytes())
    },
  })
  void new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, with the threads of its executors.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    },
  })
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the process was started, since the epoch.',
    registers,
  }).set(performance.timeOrigin / 1_000)
  loopDelay(registers)
}

/** Of the supervisor, which runs no handler: it is late when the host is short of CPU. */
function loopDelay(registers: Registry[]): void {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION })
  monitor.enable()
  // What it waits for anyhow is no delay.
  const beyond = (nanoseconds: number) => Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION / 1_000)
  void new Gauge({
    name: 'runner_loop_delay_p99_seconds',
    help: 'What 99 % of the turns of the own event loop of the supervisor were late by, since it was last asked.',
    registers,
    collect() {
      this.set(beyond(monitor.percentile(99)))
    },
  })
  void new Gauge({
    name: 'runner_loop_delay_max_seconds',
    help: 'What the worst turn of the own event loop of the supervisor was late by, since it was last asked.',
    registers,
    collect() {
      this.set(beyond(monitor.max))
      // Asked after the one above: families are read in the order in which they were made.
      monitor.reset()
    },
  })
}

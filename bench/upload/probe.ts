/**
 * Imported by the gateway under measurement: how late its event loop is, into `UPLOAD_BENCH_PROBE`, once a second. It
 * begins anew at SIGUSR2: what was late while modules were loaded delays nobody.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

/** Milliseconds between two looks. */
const RESOLUTION = 1
const NANOSECONDS = 1e6
const file = process.env['UPLOAD_BENCH_PROBE']

export interface LoopDelay {
  /** Milliseconds. */
  p50: number
  p99: number
  max: number
}

if (isMainThread && file !== undefined) {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION })
  monitor.enable()
  process.on('SIGUSR2', () => monitor.reset())
  // What it waits for anyhow is no delay.
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION)
  setInterval(() => {
    const delay: LoopDelay = {
      p50: late(monitor.percentile(50)),
      p99: late(monitor.percentile(99)),
      max: late(monitor.max),
    }
    writeFileSync(`${file}.new`, JSON.stringify(delay))
    renameSync(`${file}.new`, file)
  }, 1_000).unref()
}

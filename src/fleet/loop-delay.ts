/** How late the event loop of the supervisor is: it runs no handler, so this host is short of CPU when it is. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Milliseconds between two looks. */
const RESOLUTION = 50
const NANOSECONDS = 1e6

export class LoopDelay {
  readonly #monitor = monitorEventLoopDelay({ resolution: RESOLUTION })

  constructor() {
    this.#monitor.enable()
  }

  /** Milliseconds since the start: the median and the worst. */
  get late(): { p50: number; max: number } {
    return { p50: beyond(this.#monitor.percentile(50)), max: beyond(this.#monitor.max) }
  }

  close(): void {
    this.#monitor.disable()
  }
}

/** What it waits for anyhow is no delay. */
function beyond(nanoseconds: number): number {
  return Math.max(0, Math.round(nanoseconds / NANOSECONDS - RESOLUTION))
}

const SPIN = 5

/** Holds the CPU for 5 ms of this thread's own time, so that a preempted spin does not count as work done. */
export function spin(): void {
  const start = process.threadCpuUsage()
  let used = 0
  while (used < SPIN * 1000) {
    for (let i = 0; i < 2000; i++) Math.sqrt(i)
    const { user, system } = process.threadCpuUsage(start)
    used = user + system
  }
}

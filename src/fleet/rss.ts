/** Memory of a replica, as a container's limit counts it: shared pages of its processes are counted once for each. */
import { readFile } from 'node:fs/promises'

/** Bytes that this process, with all its threads, and these children hold. A child that is gone holds none. */
export async function residentBytes(pids: readonly number[]): Promise<number> {
  const children = await Promise.all(pids.map(childBytes))
  return children.reduce((sum, one) => sum + one, process.memoryUsage.rss())
}

/** proc(5): `VmRSS:	  123456 kB`. Without /proc, on macOS, children are not counted. */
async function childBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}

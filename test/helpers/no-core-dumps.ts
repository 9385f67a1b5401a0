/**
 * Before any test: what tests end by SIGSEGV or by filling a heap leaves no core behind, as the size of the address space
 * that the kernel writes, before it tells anybody that the process is gone, takes a minute on some machines.
 */
import { spawnSync } from 'node:child_process'

/** All that is started from here on inherits it. Where there is no prlimit, as on macOS, it stays as it is. */
export function setup(): void {
  spawnSync('prlimit', ['--core=0', '--pid', String(process.pid)], { stdio: 'ignore' })
}

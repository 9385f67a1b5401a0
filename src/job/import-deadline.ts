/** How long the top level of a job file may take, and how whoever watches from another thread or process sees that. */
import { formatMilliseconds } from '../units.ts'
import type { JobFile } from './manifest.ts'

/** Milliseconds. */
export const IMPORT_TIMEOUT = 30_000

/** How much longer than a file's own timeout its thread may be silent: then its loop is blocked, and it is ended. */
const BLOCKED_AFTER = 1_000

/** Calls `onBlocked` with the fault, unless the timer is cleared before: at the next sign of life. */
export function watchImport(
  { kind }: JobFile,
  timeout: number,
  onBlocked: (fault: string) => void,
): NodeJS.Timeout {
  const what = kind === 'application' ? 'a module or a provider' : 'its top level'
  const fault = `not loaded after ${formatMilliseconds(timeout)}: ${what} blocks the thread`
  return setTimeout(onBlocked, timeout + BLOCKED_AFTER, fault)
}

/**
 * Ends this process now, whatever its threads are doing.
 *
 * `process.exit` waits for every worker thread, and one inside native code (execSync, a long pbkdf2Sync) does not end
 * before its call returns: minutes after the deadline, when the locks of its jobs have long run out and another
 * replica runs them. To become another program is the one way to end such a thread and keep the exit code.
 */
import type { ExitCode } from '../errors.ts'

export function endProcess(code: ExitCode, threadsLeft: boolean): never {
  if (threadsLeft) {
    try {
      const program = process.execPath
      process.execve?.(program, [program, '-e', `process.exitCode = ${code}`], {})
    } catch {
      // Not on this platform: later is better than never.
    }
  }
  return process.exit(code)
}

/**
 * Runs an executable file as a job: arguments as `--key value`, the whole payload as JSON on stdin, stdout to the
 * job's log. Exit code 0 = done, 75 = retry later, anything else = failed, with the end of stderr in the message.
 * Cancel: SIGTERM to its process group, SIGKILL after KILL_AFTER.
 *
 * The file leads a process group of its own, and a guard in another one holds a pipe to this executor: when the
 * executor is gone, however it went (also with a SIGKILL of the whole replica), the pipe closes and the guard kills
 * the group. Without it the script would run on while another replica runs it again.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { RunnerError } from '../../errors.ts'
import { Retry } from '../../job/outcome.ts'
import type { JobContext } from '../../job/context.ts'

const RETRY_LATER = 75
/** Milliseconds between SIGTERM and SIGKILL. Below `--abort-grace`, so that a cancelled script ends before its executor. */
const KILL_AFTER = 800
/** Milliseconds after its exit in which the last of its output may come. */
const OUTPUT_AFTER = 500
/** Bytes of stderr that are kept for the error message. */
const STDERR_KEPT = 4096

export async function runExecutable(file: string, ctx: JobContext): Promise<void> {
  const payload = JSON.stringify(ctx.args)
  const child = spawn(file, argumentsOf(ctx.args), {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, RUNNER_JOB_ID: ctx.id, RUNNER_JOB_KEY: ctx.key, RUNNER_FENCE: String(ctx.fence) },
  })
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const closed = once(child, 'close')
  // A file that cannot be spawned (bad interpreter, no permission) rejects both.
  closed.catch(() => undefined)
  const pid = child.pid
  if (pid === undefined) return void (await exited)
  const guard = startGuard(pid)
  const abort = () => stop(pid)
  ctx.signal.addEventListener('abort', abort, { once: true })
  if (ctx.signal.aborted) abort()
  try {
    // A script that does not read its stdin closes it: that is its right.
    child.stdin.on('error', () => undefined)
    child.stdin.end(payload)
    createInterface({ input: child.stdout }).on('line', line => void ctx.log(line))
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-STDERR_KEPT)))
    const [code, signal] = await exited
    // Whatever the script left behind in its group ends with the job, and lets go of its stdout.
    killGroup(pid, 'SIGKILL')
    // What left the group (a daemon by setsid) may hold stdout open for ever.
    await Promise.race([closed, sleep(OUTPUT_AFTER, undefined, { ref: false })])
    // When a neighbour held up the loop for so long, the output of the script is there but was not read yet.
    await nextTurn()
    child.stdout.destroy()
    child.stderr.destroy()
    if (code === 0) return
    if (ctx.signal.aborted) throw ctx.signal.reason
    if (code === RETRY_LATER) throw new Retry('30s', { reason: `exit code ${RETRY_LATER}: retry later` })
    const how = signal === null ? `exit code ${code}` : `ended by ${signal}`
    throw new RunnerError(
      'JOB_EXECUTABLE_FAILED',
      `${ctx.name}: ${how}${stderr === '' ? '' : `: ${stderr.trim()}`}`,
    )
  } finally {
    ctx.signal.removeEventListener('abort', abort)
    guard.kill('SIGKILL')
  }
}

/** `--dir /tmp --count 3`; true is the bare flag, false and null are left out, arrays repeat, objects are JSON. */
function argumentsOf(args: unknown): string[] {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return []
  return Object.entries(args).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap(item => {
      if (item === false || item === null || item === undefined) return []
      if (item === true) return [`--${key}`]
      return [`--${key}`, typeof item === 'object' ? JSON.stringify(item) : String(item)]
    }),
  )
}

function startGuard(pid: number): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', `cat >/dev/null; kill -s KILL -- -${pid}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.on('error', () => undefined)
  guard.stdin.on('error', () => undefined)
  guard.unref()
  return guard
}

function stop(pid: number): void {
  killGroup(pid, 'SIGTERM')
  setTimeout(() => killGroup(pid, 'SIGKILL'), KILL_AFTER).unref()
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // The group is gone already.
  }
}

/** Starts and ends users of the private server (user-process.ts), and looks whether servers live. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const NODE_COMPILE_CACHE = join(tmpdir(), 'node-compile-cache')
const PROGRAM = fileURLToPath(new URL('./user-process.ts', import.meta.url))

interface Report {
  messages: string[]
  count: number
  /** Process id of the Redis server. */
  server: number
  error?: { code: string; message: string; hint?: string }
}

export interface User {
  report: Report
  child: ChildProcess
  kill(): Promise<void>
  leave(): Promise<void>
}

/** Resolves with the first line that the user prints. */
export async function startUser(cwd: string, env: Record<string, string> = {}): Promise<User> {
  const child = spawn(process.execPath, [PROGRAM, cwd], {
    // As the binary has it.
    env: { NODE_COMPILE_CACHE, ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(([code]) => [`{"error":{"message":"exit ${code}"}}`]),
  ])) as [string]
  const ended = () =>
    child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve()
  return {
    report: JSON.parse(line) as Report,
    child,
    async kill() {
      child.kill('SIGKILL')
      await ended()
    },
    async leave() {
      child.stdin.end()
      await ended()
    },
  }
}

/** Alive and no zombie: in a container nobody may reap a process whose parent has died. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    const stat = `/proc/${pid}/stat`
    return !existsSync('/proc/self/stat') || !/^\d+ \(.*\) [ZX]/.test(readFileSync(stat, 'utf8'))
  } catch {
    return false
  }
}

/** Polls: the process is nobody's child here, so there is no event to wait for. Fails by the test's time limit. */
export async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await delay(10)
}

/** SIGKILL, and wait. Being gone already is fine. */
export async function killed(pid: number): Promise<void> {
  if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  await gone(pid)
}

/** Process id of the keeper, as it tells every lease. */
export async function keeperOf(cwd: string): Promise<number> {
  const lease = connect(`${cwd}/.runner/keeper.sock`)
  const [line] = (await once(lease.setEncoding('utf8'), 'data')) as [string]
  lease.destroy()
  return (JSON.parse(line) as { keeper: number }).keeper
}

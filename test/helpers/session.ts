/** One command line after another in one process: what a user types, without a start for each of them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { cleanEnv } from './runner.ts'

const PROCESS = fileURLToPath(new URL('../fixtures/session-process.ts', import.meta.url))

export interface Said {
  args: string[]
  code: number
  stdout: string
  stderr: string
}

/** What each of `lines` said and ended with, in order. */
export async function session(
  lines: readonly string[][],
  { cwd, env }: { cwd: string; env?: Record<string, string> },
): Promise<Said[]> {
  const flags = ['--conditions=@bullmq-runner/source', '--disable-warning=ExperimentalWarning']
  const child = spawn(process.execPath, [...flags, PROCESS], {
    cwd,
    env: cleanEnv(env),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify(lines))
  const [said] = await Promise.all([text(child.stdout), once(child, 'close')])
  return said
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Said)
}

/** The `runner` binary as a user starts it: a real process, its output and its exit code. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { isWarm, runWarm } from './warm-runner.ts'

export const BINARY = fileURLToPath(new URL('../../bin/runner.js', import.meta.url))

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface RunnerOptions {
  cwd: string
  env?: Record<string, string>
  stdin?: string
  nodeFlags?: string[]
}

export interface Running {
  child: ChildProcessWithoutNullStreams
  ended: Promise<Ended>
}

export function startRunner(args: string[], { cwd, env, stdin, nodeFlags = [] }: RunnerOptions): Running {
  const child = spawn(process.execPath, [...nodeFlags, BINARY, ...args], { cwd, env: cleanEnv(env) })
  child.stdin.on('error', () => {})
  child.stdin.end(stdin ?? '')
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr, [code, signal]]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout,
      stderr,
    }),
  )
  return { child, ended }
}

/** To its end. From its second call by a worker on, a verb that needs no more is run by warm-runner.ts. */
export async function runner(args: string[], options: RunnerOptions): Promise<Ended> {
  const { cwd, env, stdin, nodeFlags } = options
  if (stdin !== undefined || nodeFlags !== undefined || !isWarm(args)) return startRunner(args, options).ended
  return { signal: null, ...(await runWarm({ args, cwd, env: cleanEnv(env) })) }
}

/** The same on a pseudo-terminal: stdout and stderr are one, as on a screen. Needs `script` of util-linux. */
export async function runnerOnTerminal(args: string[], { cwd, env }: RunnerOptions): Promise<Ended> {
  const line = `stty cols 100 rows 30; ${[process.execPath, BINARY, ...args].map(word => `'${word}'`).join(' ')}`
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    cwd,
    env: { ...cleanEnv(env), TERM: 'xterm' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: code as number | null, signal: null, stdout, stderr }
}

/** Without what `runner` reads, and without what forces colours. */
export function cleanEnv(env: Record<string, string> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(RUNNER_|REDIS_URL$|FORCE_COLOR$|NO_COLOR$|NODE_OPTIONS$|VITEST|CI$)/.test(name),
  )
  return { ...Object.fromEntries(inherited), ...env }
}

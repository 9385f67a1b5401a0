/** The `runner` binary as a user starts it: a real process, its output and its exit code. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const BINARY = fileURLToPath(new URL('../../bin/runner.js', import.meta.url))

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

/** Nothing of the environment that `runner` reads is handed on, nor what forces colours. */
export function startRunner(args: string[], { cwd, env, stdin, nodeFlags = [] }: RunnerOptions): Running {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(RUNNER_|REDIS_URL$|FORCE_COLOR$|NO_COLOR$|NODE_OPTIONS$|VITEST)/.test(name),
  )
  const child = spawn(process.execPath, [...nodeFlags, BINARY, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
  })
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

export const runner = (args: string[], options: RunnerOptions): Promise<Ended> =>
  startRunner(args, options).ended

/**
 * A verb without the 0.6 s of a core that a process takes to load it. What only a process has stays with processes:
 * `runner()` starts one for the first call of each verb by a worker of vitest, so that every verb is also seen to end by itself.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VERBS } from '../../src/commands/verbs.ts'
import { SOURCE_CONDITION } from '../../src/job/import-flags.ts'

const WARMTH: unique symbol = Symbol.for('bullmq-runner tests: warm process')
const ENTRY = fileURLToPath(new URL('./warm-process.ts', import.meta.url))

export interface WarmCall {
  args: string[]
  cwd: string
  env: NodeJS.ProcessEnv
}

export interface WarmAnswer {
  code: number
  stdout: string
  stderr: string
}

/** They end a process themselves, are over only when they are told, or show what a terminal does. */
const COLD = new Set(['work', 'dev', 'verify', 'serve', 'top', 'complete', 'jobs replay', 'migrations test'])

interface Warmth {
  called: Set<string>
  child: ChildProcess | undefined
  busy: boolean
}

/** Of this process and not of this module, which each test file loads anew: files of one worker share the process. */
const here = globalThis as { [WARMTH]?: Warmth }
const warmth = (here[WARMTH] ??= { called: new Set(), child: undefined, busy: false })

/** They are answered before there is a program. */
const BEFORE_ALL = new Set(['--version', '-V'])

/** Whether the verb was called before by this worker, and nothing else is being done. With TEST_COLD=1 never. */
export function isWarm(args: readonly string[]): boolean {
  const both = args.slice(0, 2).join(' ')
  const known = [both, args[0] ?? ''].find(name => Object.hasOwn(VERBS, name))
  // All that is no verb is one: help, and what is told of a verb that is misspelt.
  const verb = known ?? 'no verb'
  if (BEFORE_ALL.has(args[0] ?? '') || COLD.has(verb) || process.env['TEST_COLD'] === '1') return false
  const again = warmth.called.has(verb)
  warmth.called.add(verb)
  return again && !warmth.busy
}

/** Rejects when the process dies of it, with how it ended. */
export async function runWarm(call: WarmCall): Promise<WarmAnswer> {
  warmth.busy = true
  try {
    if (warmth.child?.connected !== true) warmth.child = startWarm()
    return await askWarm(warmth.child, call)
  } finally {
    warmth.busy = false
  }
}

/** Of a process that is asked nothing else meanwhile. Rejects as `runWarm`. */
export async function askWarm(child: ChildProcess, call: WarmCall): Promise<WarmAnswer> {
  child.ref()
  child.channel?.ref()
  const over = new AbortController()
  try {
    child.send(call)
    const died = once(child, 'exit', over).then(([code, signal]) => {
      throw new Error(`runner ${call.args.join(' ')} ended its process: ${String(code ?? signal)}`)
    })
    const [answer] = await Promise.race([once(child, 'message', over), died])
    return answer as WarmAnswer
  } finally {
    over.abort()
    child.unref()
    child.channel?.unref()
  }
}

/** `env`: what Node itself reads when it starts. */
export function startWarm(env = process.env): ChildProcess {
  const execArgv = [`--conditions=${SOURCE_CONDITION}`]
  // As the binary has it.
  const cached = { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...env }
  return fork(ENTRY, { env: cached, execArgv, stdio: ['ignore', 2, 2, 'ipc'] })
}

/** One command line after another in a process of their own: what a user types, without a start for each of them. */
import { cleanEnv } from './runner.ts'
import { askWarm, startWarm, type WarmAnswer } from './warm-runner.ts'

export interface Said extends WarmAnswer {
  args: string[]
}

/** What each of `lines` said and ended with, in order. */
export async function session(
  lines: readonly string[][],
  options: { cwd: string; env?: Record<string, string> },
): Promise<Said[]> {
  const { cwd } = options
  const env = cleanEnv(options.env)
  const child = startWarm(env)
  const said: Said[] = []
  try {
    for (const args of lines) said.push({ args, ...(await askWarm(child, { args, cwd, env })) })
    return said
  } finally {
    child.disconnect()
  }
}

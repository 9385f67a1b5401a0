/**
 * `ctx.step`. A result is kept as a list of one value, and the empty list stands for undefined, which JSON does not
 * know: a step that returns nothing returns nothing the second time, too.
 */
import { RunnerError } from '../../errors.ts'
import type { JobContext } from '../../job/context.ts'
import { keptJson } from './kept-json.ts'
import type { Run } from './run.ts'
import { ToolOptions } from './tool-options.ts'
import type { Voice } from './voice.ts'

/** Steps of `chunks` itself (position.ts). */
export const RESERVED = 'chunks:'

export function openStep(run: Run, voice: Voice): JobContext['step'] {
  const running = new Set<string>()

  async function step(name: string, fn: () => unknown): Promise<unknown> {
    const given = new ToolOptions(run.name, 'step')
    given.name('name', name)
    given.function('fn', fn)
    if (name.startsWith(RESERVED)) {
      const what = `${run.name}: step ${JSON.stringify(name)}: names that begin with ${RESERVED} are those of chunks`
      throw new RunnerError('CTX_OPTION_INVALID', what)
    }
    if (running.has(name)) {
      const what = `${run.name}: step ${JSON.stringify(name)} is running: two at once would both run fn`
      throw new RunnerError('CTX_NAME_TAKEN', what, { hint: 'give each step a name of its own' })
    }
    running.add(name)
    try {
      return valueOf((await keptStep(run, voice, name)) ?? (await runStep(name, fn)))
    } finally {
      running.delete(name)
    }
  }

  async function runStep(name: string, fn: () => unknown): Promise<unknown> {
    if (run.aborted !== undefined) throw run.aborted
    const value = await fn()
    const what = `${run.name}: the result of step ${JSON.stringify(name)}`
    const json = value === undefined ? '[]' : `[${keptJson(what, value)}]`
    await keepStep(run, voice, name, json)
    return JSON.parse(json)
  }

  return step as JobContext['step']
}

const valueOf = (list: unknown): unknown => (list as unknown[])[0]

/** What `keepStep` kept, or null. */
export async function keptStep(run: Run, voice: Voice, name: string): Promise<unknown> {
  const kept = (await voice.call(run, 'step.get', [name])) as { value: unknown } | null
  return kept === null ? null : kept.value
}

/** `json` is kept as it is. Rejects with SupersededError when a later run of this job has started. */
export async function keepStep(run: Run, voice: Voice, name: string, json: string): Promise<void> {
  await voice.call(run, 'step.set', [name, json])
}

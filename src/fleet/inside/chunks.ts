/** `ctx.chunks`: a walk over rows that neighbours do not notice and that a later run goes on with. */
import { RunnerError } from '../../errors.ts'
import type { ChunksOptions, JobContext } from '../../job/context.ts'
import { Position } from './position.ts'
import { chunksOf } from './rows.ts'
import type { Run } from './run.ts'
import { SLICE, breathe } from './slice.ts'
import { ToolOptions } from './tool-options.ts'
import type { Voice } from './voice.ts'

const SIZE = 100
const NAME = 'rows'

export function openChunks(run: Run, voice: Voice, progress: JobContext['progress']): JobContext['chunks'] {
  const names = new Set<string>()
  return async (source, fn, options = {}) => {
    const { size, budget, name } = check(run.name, source, fn, options)
    if (names.has(name)) {
      const what = `${run.name}: chunks ${JSON.stringify(name)} are walked twice in one run: they would share a position`
      throw new RunnerError('CTX_NAME_TAKEN', what, {
        hint: `give each a name: chunks(..., { name: 'users' })`,
      })
    }
    names.add(name)
    const position = await Position.open(run, voice, name)
    const total = totalOf(source)
    if (position.done > 0) progress(position.done, total)
    try {
      for await (const rows of chunksOf(run, source, { size, skip: position.done, budget })) {
        await breathe(run, budget)
        await fn(rows, position.done)
        await position.advance(rows.length)
        progress(position.done, total)
      }
    } catch (error) {
      // So that a retry goes on from here. Where Redis refuses it, what was thrown still counts: as after a crash,
      // the rows since the last position are run again.
      await position.keep().catch(() => undefined)
      throw error
    }
    await position.keep()
    return position.done
  }
}

function check(job: string, source: unknown, fn: unknown, options: ChunksOptions) {
  const given = new ToolOptions(job, 'chunks')
  given.walkable('source', source, [Symbol.iterator, Symbol.asyncIterator])
  given.function('fn', fn)
  given.known(options, ['size', 'budget', 'name'])
  const { size = SIZE, budget = SLICE, name = NAME } = options
  return {
    size: given.count('size', size),
    budget: given.duration('budget', budget),
    name: given.name('name', name),
  }
}

function totalOf(source: unknown): number | undefined {
  if (Array.isArray(source)) return source.length
  return source instanceof Set || source instanceof Map ? source.size : undefined
}

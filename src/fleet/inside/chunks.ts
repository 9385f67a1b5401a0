/** `ctx.chunks`: a walk over rows that neighbours do not notice and that a later run goes on with. */
import { RunnerError } from '../../errors.ts'
import type { ChunksOptions, JobContext } from '../../job/context.ts'
import { Position } from './position.ts'
import { RowReader } from './row-reader.ts'
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
    // Before anything is waited for: see there.
    const reader = new RowReader(run, source)
    let position: Position | undefined
    try {
      position = await Position.open(run, voice, name)
      const total = totalOf(source)
      if (position.done > 0) progress(position.done, total)
      for await (const rows of reader.chunks({ size, skip: position.done, budget })) {
        await breathe(run, budget)
        await fn(rows, position.done)
        await position.advance(rows.length)
        progress(position.done, total)
      }
      await position.keep()
      await reader.close()
      return position.done
    } catch (error) {
      // So that a retry goes on from here. Where Redis or the source refuses, what was thrown first still counts: as
      // after a crash, the rows since the last position are run again.
      await Promise.allSettled([position?.keep(), reader.close()])
      throw error
    }
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

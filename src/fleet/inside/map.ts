/** `ctx.map`: p-limit, that lets the loop turn, reads its items as it goes, and leaves nothing behind. */
import pLimit from 'p-limit'
import type { JobContext, MapOptions } from '../../job/context.ts'
import type { Run } from './run.ts'
import { breathe } from './slice.ts'
import { ToolOptions } from './tool-options.ts'

const CONCURRENCY = 10

export function openMap(run: Run): JobContext['map'] {
  return async <Item, Result>(
    items: Iterable<Item>,
    fn: (item: Item, index: number) => Result | PromiseLike<Result>,
    options: MapOptions = {},
  ) => {
    const limit = pLimit(check(run.name, items, fn, options))
    const results: Result[] = []
    const tasks: Promise<void>[] = []
    let failed: { error: unknown } | undefined
    let settled = Promise.withResolvers<void>()

    const one = async (item: Item, index: number) => {
      if (failed !== undefined) return
      try {
        // It may have waited for its turn since it was read.
        if (run.aborted !== undefined) throw run.aborted
        results[index] = await fn(item, index)
      } catch (error) {
        failed ??= { error }
      }
    }
    try {
      for (const item of items) {
        await breathe(run)
        if (failed !== undefined) break
        tasks.push(limit(one, item, tasks.length).then(() => settled.resolve()))
        // One item waits for its turn, and no more are read before it has had it.
        while (limit.pendingCount > 0) {
          await settled.promise
          settled = Promise.withResolvers()
        }
      }
    } catch (error) {
      failed ??= { error }
    }
    await Promise.all(tasks)
    if (failed !== undefined) throw failed.error
    return results
  }
}

function check(job: string, items: unknown, fn: unknown, options: MapOptions): number {
  const given = new ToolOptions(job, 'map')
  given.walkable('items', items, [Symbol.iterator])
  given.function('fn', fn)
  given.known(options, ['concurrency'])
  return given.count('concurrency', options.concurrency ?? CONCURRENCY)
}

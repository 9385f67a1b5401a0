/** Reads any source of rows chunk by chunk, from a place on, and never holds the loop for longer than it may. */
import type { Run } from './run.ts'
import { breathe, isUsedUp } from './slice.ts'

export interface Reading {
  /** Rows of a chunk. */
  size: number
  /** Rows that are passed over. */
  skip: number
  /** Milliseconds that the loop may be held. */
  budget: number
}

/** The source is closed however the reading ends. Rejects with the reason of an aborted run. */
export async function* chunksOf<Row>(
  run: Run,
  source: Iterable<Row> | AsyncIterable<Row>,
  { size, skip, budget }: Reading,
): AsyncGenerator<Row[], void, undefined> {
  if (Array.isArray(source)) {
    for (let from = skip; from < source.length; from += size) yield source.slice(from, from + size) as Row[]
    return
  }
  const rows: Row[] = []
  let left = skip
  /** The chunk that this row makes full. */
  const take = (row: Row): Row[] | undefined => {
    if (left > 0) left--
    else if (rows.push(row) === size) return rows.splice(0)
    return undefined
  }
  // A row may be costly to make, and many may be passed over: the loop may turn after each.
  if (Symbol.asyncIterator in source) {
    for await (const row of abortable(run, source)) {
      const full = take(row)
      if (full !== undefined) yield full
      if (isUsedUp(budget)) await breathe(run, budget)
    }
  } else {
    for (const row of source) {
      const full = take(row)
      if (full !== undefined) yield full
      if (isUsedUp(budget)) await breathe(run, budget)
    }
  }
  if (rows.length > 0) yield rows
}

/** A source that is waited for may never go on: the abort of the run ends the waiting, and closes it unwaited. */
async function* abortable<Row>(run: Run, source: AsyncIterable<Row>): AsyncGenerator<Row, void, undefined> {
  const { signal } = run
  const iterator = source[Symbol.asyncIterator]()
  let reject: ((reason: unknown) => void) | undefined
  const onAbort = () => reject?.(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const next = () =>
    new Promise<IteratorResult<Row>>((resolve, refuse) => {
      reject = refuse
      if (signal.aborted) refuse(signal.reason)
      else iterator.next().then(resolve, refuse)
    })
  let open = true
  try {
    for (;;) {
      open = false
      const { done, value } = await next()
      if (done === true) return
      open = true
      yield value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    if (open) await iterator.return?.()
    // In the middle of `next`: a generator would answer only after it, and it may never end.
    else if (signal.aborted) void iterator.return?.().then(undefined, () => undefined)
  }
}

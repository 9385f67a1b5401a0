/** Pages of an interface that knows only how to go on: one shard, since nobody can begin in the middle. */
import type { Row } from './database.ts'
import { portionOf, type Cursor, type Source } from './source.ts'

export interface Page<Of = Row> {
  rows: readonly Of[]
  /** What the next page is asked for with; null: this is the last one. */
  next: string | null
}

/** Of a shard that has had its last page. */
const END = ''

/**
 * `fetch` is called outside of the transaction, and again for a page whose batch was rolled back: with the same `cursor`
 * (null: the first page) it has to give the same rows, as many as `limit` at most.
 */
export function pages<Of extends object = Row>(
  fetch: (cursor: string | null, limit: number) => Page<Of> | Promise<Page<Of>>,
): Source<Of> {
  // Read inside the transaction that begins right after it was fetched, by the same slice.
  const fetched = new Map<string, readonly Of[]>()
  const nameOf = (after: Cursor | null) => JSON.stringify(after)
  return {
    bounds: async () => ({ after: null, until: null }),
    split: async (_db, range) => [range],
    async next(_db, { after }, limit) {
      if (after?.[0] === END) return undefined
      const { rows, next } = await fetch(after?.[0] ?? null, limit)
      fetched.clear()
      fetched.set(nameOf(after), rows)
      return { last: [next ?? END], rows: rows.length }
    },
    async read(_tx, _db, { after }) {
      return portionOf(fetched.get(nameOf(after)) ?? [], i => [after?.[0] ?? '', String(i)])
    },
    estimate: async () => undefined,
  }
}

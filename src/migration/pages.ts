/** Pages of an interface that knows only how to go on: one shard, since nobody can begin in the middle. */
import type { Row } from './database.ts'
import { portionOf, type Cursor, type Source } from './source.ts'

export interface Page<Of = Row> {
  rows: readonly Of[]
  /** What the next page is asked for with; null: this is the last one. */
  next: string | null
}

export interface PagesOptions<Of = Row> {
  /**
   * Names a row, whatever page it comes in. Default: its place, which is another one in a smaller page, so that
   * `key(row)` is refused.
   */
  key?: (row: Of) => string
}

type Fetch<Of> = (cursor: string | null, limit: number) => Page<Of> | Promise<Page<Of>>

/** Of a shard that has had its last page. */
const END = ''

/**
 * `fetch` is called outside of the transaction, and again for a page whose batch was rolled back: with the same `cursor`
 * (null: the first page) it has to give the same rows, as many as `limit` at most.
 */
export function pages<Of extends object = Row>(fetch: Fetch<Of>, options: PagesOptions<Of> = {}): Source<Of> {
  return { ...pagesOf(fetch, options), fresh: () => pagesOf(fetch, options) }
}

function pagesOf<Of extends object>(fetch: Fetch<Of>, { key }: PagesOptions<Of>): Source<Of> {
  // Read inside the transaction that begins right after it was fetched, by the same slice.
  let page: { after: string | undefined; rows: readonly Of[] } | undefined
  return {
    bounds: async () => ({ after: null, until: null }),
    split: async (_db, range) => [range],
    async next(_db, { after }, limit) {
      if (after?.[0] === END) return undefined
      const { rows, next } = await fetch(after?.[0] ?? null, limit)
      page = { after: after?.[0], rows }
      return { last: [next ?? END], rows: rows.length }
    },
    async read(_tx, _db, { after }) {
      if (page === undefined || page.after !== after?.[0]) throw new Error('this page was not fetched')
      const { rows } = page
      const place = (i: number): Cursor =>
        key === undefined ? [after?.[0] ?? '', String(i)] : [key(rows[i] as Of)]
      return { ...portionOf(rows, place), isStable: key !== undefined }
    },
    estimate: async () => undefined,
  }
}

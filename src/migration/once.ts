/** Rows that are had in one go and written in one transaction: a list of accounts, what another table says. */
import type { Queryable, Row } from './database.ts'
import type { Cursor, Source } from './source.ts'

const END: Cursor = ['end']

/** `rows` is called inside the transaction of the one batch. */
export function once<Of extends object = Row>(
  rows: (tx: Queryable) => readonly Of[] | Promise<readonly Of[]>,
): Source<Of> {
  const places = new WeakMap<object, Cursor>()
  return {
    bounds: async () => ({ after: null, until: END }),
    split: async (_db, range) => [range],
    next: async (_db, { after }) => (after === null ? { last: END, rows: 0 } : undefined),
    async read(tx) {
      const all = [...(await rows(tx))]
      for (const [i, row] of all.entries()) places.set(row, [String(i)])
      return all
    },
    estimate: async () => undefined,
    keyOf: row => places.get(row) ?? [],
  }
}

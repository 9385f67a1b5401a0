/** Rows that are had in one go and written in one transaction: a list of accounts, what another table says. */
import type { Queryable, Row } from './database.ts'
import { portionOf, type Cursor, type Source } from './source.ts'

const END: Cursor = ['end']

/** `rows` is called inside the transaction of the one batch. */
export function once<Of extends object = Row>(
  rows: (tx: Queryable) => readonly Of[] | Promise<readonly Of[]>,
): Source<Of> {
  return {
    bounds: async () => ({ after: null, until: END }),
    split: async (_db, range) => [range],
    next: async (_db, { after }) => (after === null ? { last: END, rows: 0 } : undefined),
    async read(tx) {
      return portionOf(await rows(tx), i => [String(i)])
    },
    estimate: async () => undefined,
  }
}

/** Walks a range of a source in batches, as slices do. */
import { expect } from 'vitest'
import type { Database, Row } from '../../src/migration/database.ts'
import type { Range, Source } from '../../src/migration/source.ts'

export async function walk(db: Database, source: Source, range: Range, limit: number): Promise<Row[]> {
  const rows: Row[] = []
  let { after } = range
  for (;;) {
    const batch = await source.next(db, { after, until: range.until }, limit)
    if (batch === undefined) return rows
    const { rows: read } = await source.read(db, db, { after, until: batch.last })
    expect(read).toHaveLength(batch.rows)
    rows.push(...read)
    after = batch.last
  }
}

import { expect, it } from 'vitest'
import { afterBatch, halved, type BatchSize } from '../../src/migration/batch-size.ts'

const FIRST: BatchSize = { rows: 100, seenRows: 0, seenMs: 0 }

/** Batches of a table where a row takes so many milliseconds, and a transaction 2 of its own. */
function batches(count: number, msPerRow: number, from = FIRST): BatchSize {
  let size = from
  for (let i = 0; i < count; i++) size = afterBatch(size, size.rows, 2 + size.rows * msPerRow)
  return size
}

it('finds in ten batches how many rows take 400 ms', () => {
  const { rows } = batches(10, 0.1)
  expect(rows).toBeGreaterThan(3_300)
  expect(rows).toBeLessThan(4_400)
})

it('never goes beyond 10,000 rows, nor below one', () => {
  expect(batches(40, 0.0001).rows).toBe(10_000)
  expect(batches(40, 60_000).rows).toBe(1)
  expect(halved({ ...FIRST, rows: 1 }).rows).toBe(1)
})

it('brakes at once after a batch that took five times as long as it should', () => {
  expect(afterBatch({ rows: 4_000, seenRows: 16_000, seenMs: 1_600 }, 4_000, 2_100).rows).toBe(1_000)
})

it('grows by no more than a half from one batch to the next', () => {
  expect(afterBatch(FIRST, 100, 1).rows).toBe(150)
})

it('learns nothing from the short last batch of a shard', () => {
  expect(afterBatch(FIRST, 7, 3_000)).toEqual(FIRST)
})

it('comes back to its size after one spike', () => {
  const calm = batches(20, 0.1)
  const after = afterBatch(calm, calm.rows, 5_000)
  expect(after.rows).toBeLessThan(calm.rows / 3)
  expect(batches(15, 0.1, after).rows).toBeGreaterThan(calm.rows * 0.8)
})

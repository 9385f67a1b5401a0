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
  const sizes = walk(60, rows => 2 + rows * 0.0001)
  expect(Math.max(...sizes)).toBe(10_000)
  expect(sizes.slice(30).filter(rows => rows === 10_000).length).toBeGreaterThan(20)
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

/** A statement whose plan is another one beyond 3,000 rows: ten times as slow, a row. */
const cliff = (rows: number) => 2 + rows * (rows > 3_000 ? 0.05 : 0.005)

function walk(count: number, msOf: (rows: number, batch: number) => number): number[] {
  const sizes: number[] = []
  let size = FIRST
  for (let i = 0; i < count; i++) {
    sizes.push(size.rows)
    size = afterBatch(size, size.rows, msOf(size.rows, i))
  }
  return sizes
}

it('goes back to the size that was faster, where larger batches do not pay', () => {
  const sizes = walk(40, cliff)
  expect(sizes.filter(rows => rows > 3_000)).toHaveLength(2)
  expect(sizes.slice(14).filter(rows => rows > 2_000).length).toBeGreaterThan(20)
})

it('comes down by halves where a batch becomes slower the larger it is', () => {
  // The longer the table is walked, the less a large batch pays.
  const sizes = walk(120, (rows, batch) => 2 + rows * 0.005 * (batch > 20 ? 1 + (rows / 2_000) ** 2 : 1))
  expect(sizes.at(20)).toBe(10_000)
  expect(sizes.slice(70).filter(rows => rows <= 2_500).length).toBeGreaterThan(45)
})

it('does not take one slow batch for that', () => {
  expect(Math.max(...walk(24, (rows, batch) => (batch === 12 ? 400 : 2 + rows * 0.005)))).toBe(10_000)
})

it('grows again when it was the rows that became slower, and not the size', () => {
  const sizes = walk(40, (rows, batch) => 2 + rows * (batch > 8 ? 0.02 : 0.005))
  expect(Math.max(...sizes)).toBe(10_000)
})

it('comes back from one row, where most of what a batch takes is the transaction', () => {
  const sizes: number[] = []
  let size: BatchSize = { rows: 1, seenRows: 4, seenMs: 1_200 }
  for (let i = 0; i < 120; i++) {
    size = afterBatch(size, size.rows, 300 + size.rows * 0.3)
    sizes.push(size.rows)
  }
  expect(Math.max(...sizes)).toBeGreaterThan(100)
})

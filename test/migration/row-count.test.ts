/** When a slice tells its replica of rows: not of each batch, and of all of them in the end. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { PartProgress } from '../../src/job/part.ts'
import { RowCount } from '../../src/migration/row-count.ts'

let told: PartProgress[]
let count: RowCount
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
  told = []
  count = new RowCount({ progressed: progress => void told.push(progress) })
})
afterEach(() => void vi.useRealTimers())

/** Batches of ten rows, of a tenth of a second each. */
function batches(of: number): void {
  for (let batch = 0; batch < of; batch++) {
    vi.advanceTimersByTime(100)
    count.add(10)
  }
}

it('is once a second, with what came since, and the rest at the end', () => {
  batches(9)
  expect(told).toEqual([])
  batches(16)
  expect(told).toEqual([
    { rows: 100, batch: 10 },
    { rows: 100, batch: 10 },
  ])
  count.add(3)
  count.tell()
  expect(told.slice(2)).toEqual([{ rows: 53, batch: 3 }])
})

it('is never of nothing', () => {
  vi.advanceTimersByTime(5_000)
  count.add(0)
  count.tell()
  expect(told).toEqual([])
  count.add(7)
  // A batch without rows, at the end of a shard, is not the last one.
  count.add(0)
  count.tell()
  count.tell()
  expect(told).toEqual([{ rows: 7, batch: 7 }])
})

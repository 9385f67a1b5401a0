import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Histogram } from '../../src/observe/histogram.ts'

const BUCKET = 2 ** (1 / 4)

function of(values: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const value of values) histogram.record(value)
  return histogram
}

it('says of any share at least what it was, and at most one bucket more', () => {
  const durations = fc.array(fc.double({ min: 1, max: 1e9, noNaN: true }), { minLength: 1 })
  fc.assert(
    fc.property(durations, fc.double({ min: 0.001, max: 1, noNaN: true }), (values, share) => {
      const rank = Math.max(1, Math.ceil(values.length * share))
      const exact = values.toSorted((a, b) => a - b)[rank - 1] as number
      const told = of(values).percentile(share)
      expect(told).toBeGreaterThanOrEqual(exact * (1 - 1e-9))
      expect(told).toBeLessThanOrEqual(exact * BUCKET * (1 + 1e-9))
    }),
  )
})

it('is the same as one that was handed over in parts', () => {
  const parts = fc.array(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true })))
  fc.assert(
    fc.property(parts, lists => {
      const source = new Histogram()
      const sum = new Histogram()
      for (const list of lists) {
        for (const value of list) source.record(value)
        for (const [bucket, count] of source.take()) sum.add(bucket, count)
      }
      expect(source.pending).toEqual([])
      expect(sum).toMatchObject({ count: source.count, most: source.most })
      expect(sum.percentile(0.5)).toBe(source.percentile(0.5))
    }),
  )
})

it('counts what is below a millisecond, or before the clock was set back, as one', () => {
  expect(of([0, -5, 0.2])).toMatchObject({ count: 3, most: 1 })
})

it('is 0 of none', () => {
  expect(of([])).toMatchObject({ count: 0, most: 0, pending: [] })
})

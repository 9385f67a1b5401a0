import { expect, it } from 'vitest'
import { Rates } from '../../src/fleet/rates.ts'

it('is of the last minute, and of less at the start', () => {
  const rates = new Rates()
  const start = performance.now()
  for (let i = 0; i < 50; i++) rates.count('a')
  expect(rates.look(start + 5_000)).toEqual({ a: 10 })
  for (let at = 10_000; at <= 60_000; at += 5_000) {
    for (let i = 0; i < 10; i++) rates.count('a')
    rates.count('b')
    rates.look(start + at)
  }
  // The first fifty are more than a minute ago.
  expect(rates.look(start + 65_000)['a']).toBeCloseTo(110 / 60, 1)
  expect(rates.look(start + 65_000)['b']).toBeCloseTo(11 / 60, 1)
  for (let at = 70_000; at <= 130_000; at += 5_000) rates.look(start + at)
  expect(rates.look(start + 131_000)).toEqual({ a: 0, b: 0 })
})

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytes, duration, durationOption, formatMilliseconds, milliseconds, size } from '../src/units.ts'

const DURATIONS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZES = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

describe.each([
  ['milliseconds', milliseconds, DURATIONS],
  ['bytes', bytes, SIZES],
] as const)('%s', (_name, parse, units) => {
  const unit = fc.constantFrom(...Object.entries(units))

  test('is the number times the unit, for whole numbers exactly', () => {
    fc.assert(
      fc.property(fc.nat(), unit, (count, [name, factor]) => {
        expect(parse(`${count}${name}`)).toBe(count * factor)
        expect(parse(` ${count} ${name} `)).toBe(count * factor)
      }),
    )
  })

  test('takes a fraction, to the nearest whole', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 0, max: 999 }), unit, (whole, part, [name, factor]) => {
        const text = `${whole}.${String(part).padStart(3, '0')}`
        expect(parse(`${text}${name}`)).toBe(Math.round(Number(text) * factor))
      }),
    )
  })

  test('takes a number as it is', () => {
    fc.assert(
      fc.property(fc.nat(), count => {
        expect(parse(count)).toBe(count)
      }),
    )
  })

  test('refuses any other text, with the text', () => {
    const valid = new RegExp(`^\\s*\\d+(\\.\\d+)?\\s*(${Object.keys(units).join('|')})\\s*$`)
    fc.assert(
      fc.property(
        fc
          .oneof(fc.string(), fc.stringMatching(/^-?\d{0,3}\.?\d{0,2} ?[a-zA-Z]{0,3}$/))
          .filter(text => !valid.test(text)),
        text => {
          expect(() => parse(text)).toThrow(`got ${JSON.stringify(text)}`)
        },
      ),
    )
  })

  test.each([-1, Number.NaN, Infinity])('refuses the number %s', count => {
    expect(() => parse(count)).toThrow('expected')
  })

  test.each(['5constructor', '5toString', '5S', '5kb'])('knows no unit in %s', text => {
    expect(() => parse(text)).toThrow('expected')
  })
})

describe('formatMilliseconds', () => {
  test.each([
    [0, '0ms'],
    [250, '250ms'],
    [1000, '1s'],
    [90_000, '1.5m'],
    [7_200_000, '2h'],
    [86_400_000, '1d'],
  ])('%d -> %s', (ms, text) => {
    expect(formatMilliseconds(ms)).toBe(text)
  })

  test('is read back within 5 %', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e10 }), ms => {
        const back = milliseconds(formatMilliseconds(ms))
        expect(Math.abs(back - ms)).toBeLessThanOrEqual(ms * 0.05)
      }),
    )
  })
})

test('as zod schemas they parse, and say the same when they refuse', () => {
  expect(duration().parse('1.5s')).toBe(1500)
  expect(size().parse(64)).toBe(64)
  expect(duration().safeParse('soon').error?.issues[0]?.message).toBe(
    'expected a duration such as 250ms, 30s, 5m, 2h or 1d, got "soon"',
  )
})

test('durationOption names the option', () => {
  expect(durationOption('--delay', '2s')).toBe(2000)
  expect(() => durationOption('--delay', '2 weeks')).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: '--delay: expected a duration such as 250ms, 30s, 5m, 2h or 1d, got "2 weeks"',
    }),
  )
})

import { expect, test } from 'vitest'
import { closest, didYouMean } from '../src/suggestion.ts'

test.each([
  ['send-emial', ['send-email', 'send-mail-later'], 'send-email'],
  ['atempts', ['attempts', 'args'], 'attempts'],
  ['HELLO', ['hello'], 'hello'],
  ['helo', ['hello', 'help'], 'hello'],
  ['resize', ['send-email', 'report'], undefined],
  ['xyz', ['a', 'ab'], undefined],
  ['x', [], undefined],
])('%s of %j -> %s', (name, known, expected) => {
  expect(closest(name, known)).toBe(expected)
})

test('didYouMean is a hint, or nothing', () => {
  expect(didYouMean('helo', ['hello'])).toEqual({ hint: 'did you mean hello?' })
  expect(didYouMean('other', ['hello'])).toEqual({})
})

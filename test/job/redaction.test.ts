import { describe, expect, test } from 'vitest'
import { Redaction } from '../../src/job/redaction.ts'

const apply = (fields: string[], value: unknown) => new Redaction(fields).apply(value)

describe('Redaction', () => {
  test('hides a field of that name at any depth, in lists too, and leaves the value given as it was', () => {
    const value = { password: 1, a: { b: [{ password: { c: 2 } }, [{ password: 3 }], 'password'] } }
    const before = structuredClone(value)
    expect(apply(['password'], value)).toEqual({
      password: '[Redacted]',
      a: { b: [{ password: '[Redacted]' }, [{ password: '[Redacted]' }], 'password'] },
    })
    expect(value).toEqual(before)
  })

  test.each([
    ['card.number', true],
    ['cards[*].number', false],
    ['*.number', true],
    ['order.card.number', true],
    ['number', true],
    ['card', true],
    ['other.number', false],
    ['order.number', false],
  ])('%s', (field, hides) => {
    expect(new Redaction([field]).covers(['orders', 0, 'order', 'card', 3, 'number'])).toBe(hides)
  })

  test('covers what lies in such a field', () => {
    expect(new Redaction(['card']).covers(['card', 'owner', 'name'])).toBe(true)
    expect(new Redaction(['card']).covers(['cards'])).toBe(false)
  })

  test('of what is nested deeper than the stack nothing is shown', () => {
    let deep: unknown = { password: 1 }
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(apply(['password'], deep)).toBe('[Redacted]')
    expect(apply([], deep)).toBe(deep)
  })

  test('a field named __proto__ stays a field', () => {
    const copy = apply(['x'], JSON.parse('{"__proto__":{"x":1}}')) as object
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"x":"[Redacted]"}}')
  })
})

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { JsonSchema } from '../../../src/commands/enqueue/json-schema.ts'
import { parseFreeFlags, parseSchemaFlags } from '../../../src/commands/enqueue/payload-flags.ts'
import { applyFlags } from '../../../src/commands/enqueue/payload.ts'
import { inputSchema } from '../../../src/job/input-schema.ts'

const schemaOf = (schema: z.ZodType): JsonSchema => inputSchema(schema, '')
const own = new Set(['delay', 'data'])
const parse = (schema: z.ZodType, ...tokens: string[]) =>
  applyFlags({}, parseSchemaFlags(tokens, schemaOf(schema), own))
const free = (...tokens: string[]) => applyFlags({}, parseFreeFlags(tokens))

const person = z.object({
  firstName: z.string(),
  age: z.int().optional(),
  active: z.boolean().default(true),
  role: z.enum(['admin', 'user']),
  level: z.literal([1, 2]),
  tags: z.array(z.string()),
  scores: z.array(z.number()),
  address: z.object({ city: z.string(), zipCode: z.string(), geo: z.object({ lat: z.number() }).optional() }),
  env: z.record(z.string(), z.string()),
  either: z.union([z.string(), z.number(), z.object({ a: z.number() })]),
  parent: z.int().nullable(),
  nick: z.string().nullable(),
  extra: z.unknown(),
})

describe('flags of a schema', () => {
  test.each<[string[], unknown]>([
    [['--first-name', 'Ada'], { firstName: 'Ada' }],
    [['--firstName', 'Ada'], { firstName: 'Ada' }],
    [['--firstName=--Ada=1'], { firstName: '--Ada=1' }],
    [['--firstName', '42'], { firstName: '42' }],
    [['--firstName', 'true'], { firstName: 'true' }],
    [['--firstName', '-x'], { firstName: '-x' }],
    [['--firstName='], { firstName: '' }],
    [['--age', '-5'], { age: -5 }],
    [['--age', 'old'], { age: 'old' }],
    [['--active'], { active: true }],
    [['--no-active'], { active: false }],
    [['--active', 'false'], { active: false }],
    [['--active=false', '--age', '1'], { active: false, age: 1 }],
    [['--active', '--age', '1'], { active: true, age: 1 }],
    [['--role', 'admin', '--role', 'user'], { role: 'user' }],
    [['--level', '2'], { level: 2 }],
    [['--tag', 'a', '--tag', 'b'], { tags: ['a', 'b'] }],
    [['--tags', 'a', '--tag', '7'], { tags: ['a', '7'] }],
    [['--tags', '["a","b"]', '--tag', 'c'], { tags: ['a', 'b', 'c'] }],
    [['--tags', '[draft]'], { tags: ['[draft]'] }],
    [['--tags', '[]'], { tags: [] }],
    [['--score', '1', '--score', '2.5'], { scores: [1, 2.5] }],
    [
      ['--address.city', 'Berlin', '--address.zip-code', '01'],
      { address: { city: 'Berlin', zipCode: '01' } },
    ],
    [
      ['--address', '{"city":"Rome"}', '--address.geo.lat', '1'],
      { address: { city: 'Rome', geo: { lat: 1 } } },
    ],
    [['--env', '{"A":"1"}', '--env.PATH', '7'], { env: { A: '1', PATH: '7' } }],
    [['--either', '7'], { either: 7 }],
    [['--either', 'x'], { either: 'x' }],
    [['--either', '{"a":1}'], { either: { a: 1 } }],
    [['--either', 'true'], { either: 'true' }],
    [['--parent', 'null'], { parent: null }],
    [['--nick', 'null'], { nick: 'null' }],
    [['--extra', '[1]'], { extra: [1] }],
    [['--extra', 'text'], { extra: 'text' }],
  ])('%j', (tokens, payload) => {
    expect(parse(person, ...tokens)).toEqual(payload)
  })

  test('a record of booleans has flags that need no value', () => {
    const schema = z.object({ features: z.record(z.string(), z.boolean()), name: z.string() })
    const tokens = ['--features.dark', '--no-features.beta', '--features.old', 'false', '--name', 'x']
    expect(parse(schema, ...tokens)).toEqual({ features: { dark: true, beta: false, old: false }, name: 'x' })
    expect(() => parse(z.object({ a: z.record(z.string(), z.string()) }), '--no-a.b')).toThrow(
      "unknown option '--no-a.b'",
    )
  })

  const whole = '12345678901234567890'
  test.each<[string, z.ZodType, unknown]>([
    ['1.10', z.union([z.string(), z.number()]), '1.10'],
    ['1.1', z.union([z.string(), z.number()]), 1.1],
    ['1.10', z.unknown(), '1.10'],
    ['1.10', z.number(), 1.1],
    [whole, z.coerce.bigint(), whole],
    [whole, z.coerce.bigint().optional(), whole],
    [whole, z.union([z.string(), z.number()]), whole],
    ['2026', z.coerce.date(), '2026'],
    ['2026', z.coerce.date().nullable(), '2026'],
    ['1767225600000', z.coerce.date(), 1_767_225_600_000],
    ['1e999', z.number().nullable(), '1e999'],
    ['1e999', z.number(), '1e999'],
    ['1e999', z.unknown(), '1e999'],
  ])('never change a value: %s', (text, schema, value) => {
    expect(parse(z.object({ a: schema }), '--a', text)).toEqual({ a: value })
    expect(parse(z.object({ a: z.array(schema) }), '--a', text)).toEqual({ a: [value] })
  })

  test('of every member of a union', () => {
    const schema = z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('mail'), to: z.string() }),
      z.object({ kind: z.literal('wait'), seconds: z.number() }),
    ])
    expect(parse(schema, '--kind', 'wait', '--seconds', '3')).toEqual({ kind: 'wait', seconds: 3 })
    expect(parse(schema, '--kind', 'mail', '--to', '3')).toEqual({ kind: 'mail', to: '3' })
  })

  test('of a schema that refers to itself, as deep as is sane', () => {
    const tree = z.object({
      name: z.string(),
      get child() {
        return tree.optional()
      },
    })
    expect(parse(tree, '--child.child.name', 'x')).toEqual({ child: { child: { name: 'x' } } })
  })

  test('the very name of a field wins over the kebab-case form of another', () => {
    const schema = z.object({ fooBar: z.string(), 'foo-bar': z.string() })
    expect(parse(schema, '--foo-bar', 'x', '--fooBar', 'y')).toEqual({ fooBar: 'y', 'foo-bar': 'x' })
  })

  test('a loose object takes any other flag', () => {
    expect(parse(z.looseObject({ a: z.string() }), '--a', '1', '--b', '1')).toEqual({ a: '1', b: 1 })
  })

  test.each<[string[], string, string | undefined]>([
    [['--first-nam', 'x'], "unknown option '--first-nam'", 'did you mean --first-name?'],
    [['--dealy', '5m'], "unknown option '--dealy'", 'did you mean --delay?'],
    [['--zzz'], "unknown option '--zzz'", undefined],
    [['-x'], "unknown option '-x'", undefined],
    [['--address.cty', 'x'], "unknown option '--address.cty'", 'did you mean --address.city?'],
    [
      ['--first-name'],
      "option '--first-name' needs a value",
      'a value that starts with -- is written --first-name=VALUE',
    ],
    [
      ['--first-name', '--age', '1'],
      "option '--first-name' needs a value",
      'a value that starts with -- is written --first-name=VALUE',
    ],
    [['--no-active=1'], 'option \'--no-active\' takes no value, got "1"', undefined],
    [['Ada'], 'unexpected argument "Ada"', 'the payload is given as --field value, or as --data JSON'],
  ])('refuses %j', (tokens, message, hint) => {
    expect(() => parse(person, ...tokens)).toThrow(
      expect.objectContaining({ code: 'USAGE', message, ...(hint && { hint }) }),
    )
    if (hint === undefined)
      expect(() => parse(person, ...tokens)).not.toThrow(expect.objectContaining({ hint: expect.anything() }))
  })
})

describe('flags without a schema', () => {
  test.each<[string[], unknown]>([
    [['--a', '1', '--b', 'x', '--c'], { a: 1, b: 'x', c: true }],
    [['--a', '{"b":[null]}'], { a: { b: [null] } }],
    [['--a', 'null', '--b', 'false'], { a: null, b: false }],
    [['--a', '007', '--b', '1e3', '--c', '1.10', '--d', '-1.5'], { a: '007', b: '1e3', c: '1.10', d: -1.5 }],
    [['--card', '12345678901234567890'], { card: '12345678901234567890' }],
    [['--a', '1', '--a', '2', '--a', '[3]'], { a: [1, 2, [3]] }],
    [['--a.b', '1', '--a.c', '2'], { a: { b: 1, c: 2 } }],
    [['--no-cache'], { 'no-cache': true }],
    [['--a=--b'], { a: '--b' }],
  ])('%j', (tokens, payload) => {
    expect(free(...tokens)).toEqual(payload)
  })

  test('__proto__ becomes a plain key, for the payload check to refuse', () => {
    const payload = free('--__proto__.admin', '1') as object
    expect(Object.keys(payload)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(payload)).toBe(Object.prototype)
  })
})

describe('flags over --data', () => {
  test('override its fields and leave it as it was', () => {
    const base = { to: 'a', address: { city: 'Rome', zip: '1' }, tags: ['x'] }
    const before = structuredClone(base)
    const flags = parseFreeFlags(['--address.city', 'Berlin', '--tags', 'y', '--to.deep', '1'])
    expect(applyFlags(base, flags)).toEqual({
      to: { deep: 1 },
      address: { city: 'Berlin', zip: '1' },
      tags: 'y',
    })
    expect(base).toEqual(before)
  })

  test('need an object', () => {
    expect(() => applyFlags([1], parseFreeFlags(['--a']))).toThrow(
      'flags set fields of an object, but --data is [1]',
    )
    expect(applyFlags([1], [])).toEqual([1])
  })
})

describe('round trip', () => {
  const text = fc.string({ unit: 'grapheme' })
  const payloads = fc.record(
    {
      firstName: text,
      age: fc.integer(),
      active: fc.boolean(),
      role: fc.constantFrom('admin', 'user'),
      scores: fc.array(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(n => n + 0),
        { minLength: 1 },
      ),
      address: fc.record({ city: text, zipCode: text }),
      env: fc.dictionary(fc.stringMatching(/^[A-Z]{1,5}$/), text, { minKeys: 1, noNullPrototype: true }),
    },
    { requiredKeys: [] },
  )

  /** Each field in the form that any value can be given in. */
  function flagsOf(payload: Record<string, unknown>, path = ''): string[] {
    return Object.entries(payload).flatMap(([name, value]) => {
      const flag = `--${path}${name}`
      if (Array.isArray(value)) return value.map(one => `${flag}=${String(one)}`)
      if (typeof value === 'object' && value !== null)
        return flagsOf(value as Record<string, unknown>, `${path}${name}.`)
      return [`${flag}=${String(value)}`]
    })
  }

  test('what a payload is written as in flags is read back as that payload', () => {
    fc.assert(
      fc.property(payloads, payload => {
        expect(parse(person, ...flagsOf(payload))).toEqual(payload)
      }),
    )
  })

  test('whatever is given as the JSON of a field without a type is read back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const unsafe = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
        fc.pre(!unsafe)
        expect(free(`--a=${JSON.stringify(value)}`)).toEqual({ a: JSON.parse(JSON.stringify(value)) })
      }),
    )
  })

  test('no text at all makes the parser fail in another way than USAGE', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            text,
            text.map(part => `--${part}`),
          ),
        ),
        tokens => {
          try {
            free(...tokens)
          } catch (error) {
            expect(error).toMatchObject({ code: 'USAGE' })
          }
        },
      ),
    )
  })
})

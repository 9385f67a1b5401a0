import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { inputSchema } from '../../src/job/input-schema.ts'

const reasons = (schema: z.ZodType): unknown => {
  try {
    inputSchema(schema, 'jobs/a.ts')
  } catch (error) {
    expect(error).toMatchObject({ code: 'JOB_SCHEMA_UNSERIALISABLE' })
    return (error as { details: unknown }).details
  }
  return expect.unreachable('it was accepted')
}

describe('inputSchema', () => {
  test('is that of the input: what a transform, a pipe or a codec starts from', () => {
    const schema = z.object({
      at: z.iso.datetime().transform(text => new Date(text)),
      n: z.preprocess(Number, z.number()),
      flag: z.stringbool(),
      when: z.codec(z.iso.date(), z.date(), {
        decode: text => new Date(text),
        encode: date => date.toISOString(),
      }),
      greeting: z.string().default('hello'),
    })
    expect(inputSchema(schema, '')).toMatchObject({
      properties: {
        at: { type: 'string', format: 'date-time' },
        n: { type: 'number' },
        flag: { type: 'string' },
        when: { type: 'string', format: 'date' },
        greeting: { type: 'string', default: 'hello' },
      },
    })
  })

  test('takes what coercion takes', () => {
    expect(inputSchema(z.object({ at: z.coerce.date(), big: z.coerce.bigint() }), '')).toMatchObject({
      properties: { at: { type: ['string', 'number'] }, big: { type: ['string', 'integer'] } },
    })
  })

  test('takes a schema that refers to itself', () => {
    const tree = z.object({
      name: z.string(),
      get children() {
        return z.array(tree).optional()
      },
    })
    expect(inputSchema(tree, '')).toMatchObject({ properties: { children: { items: { $ref: '#' } } } })
  })

  test.each([
    ['when', z.object({ when: z.date() }), 'a Date is not JSON'],
    ['list[].at', z.object({ list: z.array(z.object({ at: z.date().optional() })) }), 'a Date is not JSON'],
    ['pair[1]', z.object({ pair: z.tuple([z.string(), z.bigint()]) }), 'a bigint is not JSON'],
    ['by.*', z.object({ by: z.record(z.string(), z.map(z.string(), z.string())) }), 'a Map is not JSON'],
    ['either', z.object({ either: z.union([z.string(), z.set(z.string())]) }), 'a Set is not JSON'],
    [
      'both.at',
      z.object({ both: z.intersection(z.object({ a: z.string() }), z.object({ at: z.date() })) }),
      'a Date',
    ],
    ['buffer', z.object({ buffer: z.instanceof(Buffer) }), 'z.custom() and z.instanceof() do not say'],
    ['any', z.object({ any: z.transform(Number) }), 'z.transform() does not say'],
    ['upload', z.object({ upload: z.file() }), 'a File is not JSON'],
    ['(payload)', z.date(), 'a Date is not JSON'],
  ])('refuses %s, and says why', (field, schema, reason) => {
    const found = reasons(schema)
    expect(found).toHaveLength(1)
    expect(found).toEqual([expect.stringContaining(`${field}: ${reason}`)])
  })

  test('names every field at once', () => {
    expect(reasons(z.object({ a: z.date(), b: z.string(), c: z.bigint() }))).toEqual([
      expect.stringContaining('a: '),
      expect.stringContaining('c: '),
    ])
  })
})

/** The names that fields have as flags. */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseSchemaFlags } from '../../../src/commands/enqueue/payload-flags.ts'
import { applyFlags } from '../../../src/commands/enqueue/payload.ts'
import { inputSchema } from '../../../src/job/input-schema.ts'

const parse = (schema: z.ZodType, ...tokens: string[]) =>
  applyFlags({}, parseSchemaFlags(tokens, inputSchema(schema, ''), new Set()))

describe('lists', () => {
  test('an element of a list has the singular of its name, whichever English has', () => {
    const lists = 'tags sizes boxes caches movies categories status analysis address bus'.split(' ')
    const schema = z.object(Object.fromEntries(lists.map(name => [name, z.array(z.string()).default([])])))
    const takes = (flag: string) => {
      try {
        return Object.keys(parse(schema, `--${flag}`, 'x') as object)[0]
      } catch {
        return undefined
      }
    }
    const found = ['tag', 'size', 'box', 'cache', 'movie', 'category', 'status'].map(takes)
    expect(found).toEqual(['tags', 'sizes', 'boxes', 'caches', 'movies', 'categories', 'status'])
    const invented = ['siz', 'statu', 'analysi', 'addres', 'bu'].map(takes)
    expect(invented.filter(Boolean)).toEqual([])
  })

  test('no singular is suggested', () => {
    const schema = z.object({ movies: z.array(z.string()) })
    expect(() => parse(schema, '--movi', 'x')).toThrow(
      expect.objectContaining({ hint: 'did you mean --movies?' }),
    )
  })

  test('a singular is no flag when a field has that name, or two lists could be meant', () => {
    const texts = z.array(z.string()).default([])
    const schema = z.object({ tag: z.string(), tags: texts, boxes: texts, boxs: texts })
    expect(parse(schema, '--tag', 'x')).toEqual({ tag: 'x' })
    expect(() => parse(schema, '--box', 'x')).toThrow("unknown option '--box'")
  })
})

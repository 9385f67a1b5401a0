import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { checkArgs, payloadJson } from '../../src/job/args.ts'
import { duration } from '../../src/units.ts'

const refusal = async (schema: z.ZodType | undefined, value: unknown) =>
  checkArgs('send', schema, value).then(
    () => expect.unreachable('it was accepted'),
    (error: { code: string; message: string; details: unknown }) => ({
      code: error.code,
      message: error.message,
      details: error.details,
    }),
  )

describe('checkArgs', () => {
  test('returns the output of the schema: defaults filled in, transforms applied', async () => {
    const schema = z.object({ n: z.string().transform(Number), greeting: z.string().default('hello') })
    expect(await checkArgs('send', schema, { n: '3' })).toEqual({ n: 3, greeting: 'hello' })
  })

  test('without a schema returns the very value', async () => {
    const value = { any: ['thing'] }
    expect(await checkArgs('send', undefined, value)).toBe(value)
    expect(await checkArgs('send', undefined, null)).toBeNull()
  })

  test('awaits async refinements and transforms', async () => {
    const schema = z.string().transform(async text => text.length)
    expect(await checkArgs('send', schema, 'four')).toBe(4)
  })

  test('lists each field with the value got and the rule', async () => {
    const schema = z.object({
      to: z.email(),
      address: z.object({ city: z.string(), zip: z.string().max(5) }),
      tags: z.array(z.enum(['a', 'b'])),
    })
    const value = { to: 'nobody', address: { zip: '123456' }, tags: ['a', 'x'] }
    expect(await refusal(schema, value)).toEqual({
      code: 'ARGS_INVALID',
      message: [
        'the payload of send is refused',
        '  to: got "nobody", Invalid email address',
        '  address.city: got nothing, expected string',
        '  address.zip: got "123456", Too big: expected string to have <=5 characters',
        '  tags[1]: got "x", Invalid option: expected one of "a"|"b"',
      ].join('\n'),
      details: [
        { path: 'to', value: '"nobody"', rule: 'Invalid email address' },
        { path: 'address.city', value: 'nothing', rule: 'expected string' },
        { path: 'address.zip', value: '"123456"', rule: 'Too big: expected string to have <=5 characters' },
        { path: 'tags[1]', value: '"x"', rule: 'Invalid option: expected one of "a"|"b"' },
      ],
    })
  })

  test('cuts long values to 80 characters', async () => {
    const { message } = await refusal(z.object({ to: z.email() }), { to: 'x'.repeat(10_000) })
    expect(message).toBe(
      `the payload of send is refused\n  to: got "${'x'.repeat(76)}..., Invalid email address`,
    )
  })

  test('names unknown fields of a strict schema, each by itself', async () => {
    const { details } = await refusal(z.strictObject({ a: z.number() }), { a: 1, b: 2, c: 3 })
    expect(details).toEqual([
      { path: 'b', value: '2', rule: 'no such field is known' },
      { path: 'c', value: '3', rule: 'no such field is known' },
    ])
  })

  test('of a union, explains the member that fits the kind of value, or says all', async () => {
    const schema = z.union([z.number(), z.object({ at: z.iso.date() })])
    expect((await refusal(schema, { at: 'never' })).details).toEqual([
      { path: 'at', value: '"never"', rule: 'Invalid ISO date' },
    ])
    expect((await refusal(schema, 'x')).details).toEqual([
      { path: '', value: '"x"', rule: 'expected number, or expected object' },
    ])
  })

  test.each([
    ['{"__proto__":{"admin":true}}', '__proto__'],
    ['{"a":{"b":[{"constructor":1}]}}', 'a.b[0].constructor'],
    ['[{"prototype":1}]', '[0].prototype'],
  ])('refuses %s with or without a schema', async (json, path) => {
    const details = [{ path, value: 'a key', rule: 'this key is refused in payloads' }]
    expect((await refusal(undefined, JSON.parse(json))).details).toEqual(details)
    expect((await refusal(z.unknown(), JSON.parse(json))).details).toEqual(details)
  })

  test('walks a payload nested deeper than the stack', async () => {
    const deep = JSON.parse('['.repeat(200_000) + ']'.repeat(200_000)) as unknown
    expect(await checkArgs('send', undefined, deep)).toBe(deep)
  })

  test('shows no value of a redacted field: by itself, inside of a larger one, or in the words of a rule', async () => {
    const schema = z.object({
      password: z.string(),
      users: z.array(z.object({ password: z.string() })),
      card: z.strictObject({ number: z.string() }),
      login: z.union([z.string(), z.object({ password: z.string() })]),
      after: duration(),
    })
    const value = {
      password: 31337,
      users: [{ password: 31337 }, 'none'],
      card: { number: { digits: 31337 }, extra: 31337 },
      login: { password: 31337 },
      after: '31337 years',
    }
    const redact = ['password', 'card.number', 'card.extra', 'after']
    const error = await checkArgs('send', schema, value, redact).catch((error: unknown) => error)
    expect(error).toMatchObject({
      message: [
        'the payload of send is refused',
        '  password: got "[Redacted]", expected string',
        '  users[0].password: got "[Redacted]", expected string',
        '  users[1]: got "none", expected object',
        '  card.number: got "[Redacted]", expected string',
        '  card.extra: got "[Redacted]", no such field is known',
        '  login.password: got "[Redacted]", expected string',
        '  after: got "[Redacted]", expected a duration such as 250ms, 30s, 5m, 2h or 1d',
      ].join('\n'),
    })
    expect(JSON.stringify(error)).not.toContain('31337')
    const whole = await checkArgs('send', z.string(), { a: [value] }, redact).catch(String)
    expect(whole).toContain('{"a":[{"password":"[Redacted]"')
    expect(whole).not.toContain('31337')
  })

  test('a schema that throws refuses the payload, with the cause kept', async () => {
    const fault = new Error('cannot read x')
    const schema = z.unknown().refine(() => {
      throw fault
    })
    await expect(checkArgs('send', schema, 1)).rejects.toMatchObject({
      code: 'ARGS_INVALID',
      message: 'the payload of send is refused\n  (payload): got 1, its schema threw: cannot read x',
      cause: fault,
    })
  })
})

describe('payloadJson', () => {
  test('is the JSON that is stored', () => {
    expect(payloadJson('send', { a: 1, b: undefined })).toBe('{"a":1}')
  })

  test('takes exactly the limit, in bytes of UTF-8', () => {
    expect(payloadJson('send', 'éé', { maxBytes: 6 })).toBe('"éé"')
    expect(() => payloadJson('send', 'ééx', { maxBytes: 6 })).toThrow('7 bytes of JSON, 6 are allowed')
  })

  test('shows nothing of a payload that is too large when a field of it is redacted', () => {
    const options = { maxBytes: 20, redact: ['password'] }
    expect(() => payloadJson('send', { password: 'hunter2hunter2' }, options)).toThrow('got "[Redacted]", 29')
  })

  test('has a limit of 1 MiB', () => {
    expect(payloadJson('send', 'x'.repeat(1024 * 1024 - 2))).toHaveLength(1024 * 1024)
    expect(() => payloadJson('send', 'x'.repeat(1024 * 1024 - 1))).toThrow('1048577 bytes of JSON')
  })

  test.each([[undefined], [() => 1], [10n]])('refuses %s, which is not JSON', value => {
    expect(() => payloadJson('send', value)).toThrow('not JSON')
  })

  test('refuses a cycle', () => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    expect(() => payloadJson('send', cycle)).toThrow('circular')
  })
})

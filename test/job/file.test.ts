import { z } from 'zod'
import { describe, expect, it } from 'vitest'
import { placesIn } from '../../src/file-ref.ts'
import { checkArgs } from '../../src/job/args.ts'
import { file, fileFields } from '../../src/job/file.ts'
import { inputSchema } from '../../src/job/input-schema.ts'

const REF = {
  $file: 'uploads/2026/11/26/0b2f0b0e-5f0a-4c53-9d5c-0d6f8a3b1c22',
  sha256: 'a'.repeat(64),
  bytes: 100,
  type: 'text/csv',
  name: 'users.csv',
}

const csvs = z.object({ users: file({ types: ['text/csv', 'image/*'], maxBytes: '1KiB' }) })
const refuse = (value: unknown) =>
  checkArgs('act', csvs, value).then(
    () => 'taken',
    (error: Error) => error.message,
  )

describe('file()', () => {
  it('takes a reference, and gives it to the handler as it is', async () => {
    expect(await checkArgs('act', csvs, { users: REF })).toEqual({ users: REF })
  })

  it.each([
    [{ ...REF, $file: '/etc/passwd' }, 'users.$file'],
    [{ ...REF, $file: 'uploads/../../etc/passwd' }, 'users.$file'],
    [{ ...REF, $file: 'uploads/2026/11/26/0B2F0B0E-5F0A-4C53-9D5C-0D6F8A3B1C22' }, 'users.$file'],
    [{ ...REF, sha256: 'a' }, 'users.sha256'],
    [{ ...REF, bytes: -1 }, 'users.bytes'],
    [{ ...REF, bytes: 1025 }, 'expected at most 1024 bytes'],
    [{ ...REF, type: 'application/pdf' }, 'expected text/csv or image/*'],
    [{ ...REF, more: 1 }, 'users.more'],
    ['./users.csv', 'users: got "./users.csv"'],
  ])('refuses %j', async (users, said) => {
    expect(await refuse({ users })).toContain(said)
  })

  it('takes every type of a kind', async () => {
    expect(await refuse({ users: { ...REF, type: 'image/png' } })).toBe('taken')
  })

  it('refuses options that could never be met', () => {
    expect(() => file({ types: ['csv'] })).toThrow('file(): types: expected text/csv or image/*, got csv')
    expect(() => file({ types: [] })).toThrow('got []')
    expect(() => file({ maxBytes: 'big' as never })).toThrow('file(): maxBytes: expected a size')
  })

  it('is known by the manifest, alone, in a list, optional, described or null', () => {
    const schema = z.object({
      users: file({ types: ['text/csv'], maxBytes: '1GiB' }),
      photos: z.array(file()).describe('at least one'),
      logo: file().optional(),
      letter: file({ types: ['application/pdf'] })
        .nullable()
        .describe('or none'),
      to: z.string(),
    })
    expect(fileFields(inputSchema(schema, 'jobs/act.ts'))).toEqual({
      users: { types: ['text/csv'], maxBytes: 1024 ** 3 },
      photos: { list: true },
      logo: { optional: true },
      letter: { types: ['application/pdf'] },
    })
    expect(fileFields(inputSchema(z.object({ to: z.string() }), 'jobs/act.ts'))).toBeUndefined()
  })
})

it('finds the places that a payload names, and no text that looks like one', () => {
  const other = REF.$file.replace('0b2f', 'ffff')
  expect(placesIn(JSON.stringify({ a: REF, b: [{ c: { ...REF, $file: other } }], d: REF }))).toEqual([
    REF.$file,
    other,
  ])
  expect(placesIn(JSON.stringify({ text: JSON.stringify(REF) }))).toEqual([])
  expect(placesIn(JSON.stringify({ $file: '../../etc/passwd' }))).toEqual([])
  expect(placesIn('{"to":"ada"}')).toEqual([])
})

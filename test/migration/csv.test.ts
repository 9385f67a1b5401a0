import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { setExecutorSettings } from '../../src/job/executor-settings.ts'
import { csv } from '../../src/migration/csv.ts'
import type { Database } from '../../src/migration/database.ts'
import type { Range } from '../../src/migration/source.ts'
import { takeIn } from '../../src/store/intake.ts'
import { openStores } from '../../src/store/stores.ts'
import { walk } from '../helpers/walk-source.ts'

const db = undefined as unknown as Database
let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'csv-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let files = 0
function written(text: string): string {
  const file = join(dir, `${++files}.csv`)
  writeFileSync(file, text)
  return file
}

const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`

it('gives every record once, in whatever batches and shards, with quotes, line ends and any text in them', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '"', ',', '\n', '\r\n', ' ', ';') })
  const records = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(
      records,
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 8 }),
      async (rows, lineEnd, ends, limit, shards) => {
        const lines = [['a', 'b'], ...rows].map(record => record.map(quoted).join(','))
        const source = csv(written(lines.join(lineEnd) + (ends ? lineEnd : '')))
        const expected = rows.map(([a, b]) => ({ a, b }))
        const bounds = (await source.bounds(db)) as Range
        expect(await walk(db, source, bounds, limit)).toEqual(expected)
        const ranges = await source.split(db, bounds, shards)
        const parts: object[] = []
        for (const range of ranges) parts.push(...(await walk(db, source, range, limit)))
        expect(parts).toEqual(expected)
      },
    ),
    { numRuns: 60 },
  )
})

it('finds a record again by its key', async () => {
  const source = csv(written('id,name\n1,ada\n2,"grace\nhopper"\n3,joan\n'))
  const bounds = (await source.bounds(db)) as Range
  const { rows, keyOf } = await source.read(db, db, bounds)
  for (const row of rows) expect(await source.one?.(db, db, keyOf(row))).toEqual(row)
})

it('is cut into shards of about the same size', async () => {
  const lines = Array.from({ length: 10_000 }, (_, i) => `${i},user${i}@example.org`)
  const source = csv(written(`id,email\n${lines.join('\n')}\n`))
  const ranges = await source.split(db, (await source.bounds(db)) as Range, 8)
  expect(ranges).toHaveLength(8)
  const sizes = await Promise.all(ranges.map(async range => (await source.read(db, db, range)).rows.length))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10_000)
  expect(Math.max(...sizes)).toBeLessThan(1_400)
  expect(await source.estimate(db)).toBeGreaterThan(9_000)
})

it('takes columns and a delimiter that are given', async () => {
  const source = csv(written('1;ada\n2;grace\n'), { columns: ['id', 'name'], delimiter: ';' })
  expect((await source.read(db, db, (await source.bounds(db)) as Range)).rows).toEqual([
    { id: '1', name: 'ada' },
    { id: '2', name: 'grace' },
  ])
})

it.each([
  ['of nothing but its header', 'id,name\n'],
  ['of nothing', ''],
])('has no bounds in a file %s', async (_case, text) => {
  expect(await csv(written(text)).bounds(db)).toBeUndefined()
})

it('says that the file is not there', async () => {
  await expect(csv(join(dir, 'nowhere.csv')).bounds(db)).rejects.toThrow(/ENOENT/)
})

it('walks a file of the payload by the same offsets, and sees at the beginning that it is another', async () => {
  const stores = openStores({ cwd: dir, store: 'dir:up', stores: {} })
  const text = `a,b\n${Array.from({ length: 500 }, (_, i) => `${i},"x\n${i}"`).join('\n')}\n`
  const about = { fileName: 'a.csv' }
  const ref = await takeIn(stores.uploads, Readable.from([Buffer.from(text)]), about)
  setExecutorSettings({ databases: {}, files: { cwd: dir, store: 'dir:up', stores: {} } })
  const source = csv(ref)
  const bounds = (await source.bounds(db)) as Range
  const expected = Array.from({ length: 500 }, (_, i) => ({ a: String(i), b: `x\n${i}` }))
  expect(await walk(db, source, bounds, 7)).toEqual(expected)
  const shards = await source.split(db, bounds, 4)
  expect(shards).toHaveLength(4)
  const parts = await Promise.all(shards.map(shard => walk(db, csv(ref), shard, 50)))
  expect(parts.flat()).toEqual(expected)
  writeFileSync(join(dir, ref.$file.replace('uploads', 'up')), text.replace('499', '498'))
  await expect(csv(ref).split(db, bounds, 4)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
  await stores.uploads.store.remove(stores.of(ref).key)
  await expect(csv(ref).bounds(db)).rejects.toMatchObject({ code: 'FILE_MISSING' })
})

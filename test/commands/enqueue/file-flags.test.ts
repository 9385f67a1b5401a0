import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readFileFlags } from '../../../src/commands/enqueue/file-flags.ts'
import type { Config } from '../../../src/config.ts'
import type { JobEntry } from '../../../src/job/manifest.ts'
import { project, type Project } from '../../helpers/project.ts'

const entry: JobEntry = {
  name: 'import',
  file: '',
  kind: 'job',
  queue: 'q',
  files: { users: { types: ['text/csv'], maxBytes: 1024 }, photos: { list: true, optional: true } },
}

let dir: Project
let config: Config
beforeAll(() => {
  dir = project({
    'users.csv': 'name,email\nAda,ada@example.com\n',
    'big.csv': 'a,b\n'.repeat(1_000),
    'photo.png': 'no image at all',
    'large.txt': 'a'.repeat(3_000),
  })
  const uploads = { maxFile: 2_000 }
  config = { cwd: dir.dir, store: 'dir:up', stores: {}, uploads } as unknown as Config
})
afterAll(() => dir[Symbol.dispose]())

it.each([
  [['users=./nowhere.csv'], 'USAGE', 'ENOENT'],
  [['users=.'], 'USAGE', 'EISDIR'],
  [['user=./users.csv'], 'USAGE', 'import has no file "user"'],
  [['__proto__=./users.csv'], 'USAGE', 'import has no file "__proto__"'],
  [['users'], 'USAGE', 'expected <field>=<path>'],
  [['users='], 'USAGE', 'expected <field>=<path>'],
  [['users=./big.csv'], 'FILE_REFUSED', 'big.csv has 4000 bytes, and 1024 are allowed'],
  [['photos=./large.txt'], 'FILE_REFUSED', 'large.txt has 3000 bytes, and 2000 are allowed'],
  [['users=./photo.png'], 'FILE_REFUSED', 'and only text/csv is taken'],
  [['users=./users.csv', 'users=./users.csv'], 'USAGE', 'users is one file, and was given twice'],
])('%j is refused before anything is stored', async (given, code, said) => {
  await expect(readFileFlags(given, entry, config)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(said),
  })
})

it('stays where the answer of Redis was lost, and is removed after any other error', async () => {
  const inputs = await readFileFlags(['users=./users.csv', 'photos=./photo.png'], entry, config)
  const there = () =>
    readdirSync(dir.path('up'), { recursive: true, withFileTypes: true }).filter(one => one.isFile()).length
  const stored = await inputs.store()
  expect(stored.assignments.map(({ path }) => path)).toEqual([['users'], ['photos']])
  await stored.discard(new Error('Connection is closed.'))
  expect(there()).toBe(2)
  await stored.discard(new Error('OOM command not allowed'))
  expect(there()).toBe(0)
})

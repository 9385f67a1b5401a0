/** The oracle is the shell pipeline that the job's own comment documents. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Examples, examples, holderOf } from './examples.ts'

let fleet: Examples
beforeAll(async () => void (fleet = await examples()))
afterAll(() => fleet[Symbol.asyncDispose]())

const MIB = 1024 ** 2

/** Names that a hash of a tree can get wrong. */
const NAMES = [
  'plain',
  'two words',
  'line\nbreak',
  'back\\slash',
  'both\\\n',
  'Zoë ☕',
  '-dash',
  '*',
  'a.b',
  'B',
]

function makeTree(root: string): string {
  for (const folder of ['a', 'a-b', 'a/empty', 'deep/er']) mkdirSync(join(root, folder), { recursive: true })
  for (const folder of ['.', 'a', 'deep/er']) {
    for (const name of NAMES) writeFileSync(join(root, folder, name), `${folder} ${name}`)
  }
  writeFileSync(Buffer.concat([Buffer.from(`${root}/latin1-`), Buffer.from([0xe9, 0xff])]), 'not UTF-8')
  writeFileSync(join(root, 'a-b', 'nothing'), '')
  writeFileSync(join(root, 'deep', 'large'), Buffer.alloc(3 * MIB, 'x'))
  symlinkSync('plain', join(root, 'link-to-file'))
  symlinkSync('.', join(root, 'a', 'link-to-folder'))
  return root
}

function shellDigest(folder: string): string {
  const source = readFileSync(new URL('../../jobs/hash-tree.ts', import.meta.url), 'utf8')
  const [, pipeline] = /cd DIR && (.*)/.exec(source) ?? []
  expect(pipeline).toMatch(/^find .* sort .* sha256sum$/)
  return execFileSync('sh', ['-c', pipeline!], { cwd: folder, encoding: 'utf8' }).slice(0, 64)
}

test('the total of a tree with odd names is that of find, sort and sha256sum', async () => {
  const tree = makeTree(join(fleet.folder, 'odd'))
  await using _ = await fleet.replica()
  const { code, stdout } = await fleet.enqueue('hash-tree', '--dir', tree, '--wait')
  expect(code).toBe(0)
  const found = JSON.parse(stdout) as { files: number; digest: string }
  expect(found).toMatchObject({ files: 3 * NAMES.length + 3, digest: shellDigest(tree) })
})

test('an empty folder has the digest of nothing, one that is not there fails with its name', async () => {
  mkdirSync(join(fleet.folder, 'empty'))
  await using _ = await fleet.replica()
  const [empty, absent] = await Promise.all([
    fleet.enqueue('hash-tree', '--dir', join(fleet.folder, 'empty'), '--wait'),
    fleet.enqueue('hash-tree', '--dir', join(fleet.folder, 'absent'), '--wait'),
  ])
  expect(JSON.parse(empty.stdout)).toMatchObject({
    files: 0,
    digest: shellDigest(join(fleet.folder, 'empty')),
  })
  expect(absent).toMatchObject({ code: 5, stderr: expect.stringMatching(/ENOENT.*absent/) as string })
})

test('killed with its replica it is done by another, with the same digest', async () => {
  const tree = makeTree(join(fleet.folder, 'killed'))
  // Sparse: half a gigabyte to hash, and none to write.
  for (let i = 0; i < 8; i++) {
    writeFileSync(join(tree, `sparse-${i}`), '')
    truncateSync(join(tree, `sparse-${i}`), 64 * MIB)
  }
  const replicas = [await fleet.replica(), await fleet.replica()]
  const ended = fleet.enqueue('hash-tree', '--dir', tree, '--id', 'killed', '--follow')
  const started = () => holderOf('hash-tree', replicas)
  await Promise.any(replicas.map(replica => replica.until(() => started() !== undefined, 'a start')))
  started()!.kill('SIGKILL')

  const { code, stdout } = await ended
  expect(code).toBe(0)
  const events = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
  const named = (name: string) => events.filter(({ event }) => event === name)
  expect(named('active')).toHaveLength(2)
  expect(named('progress')).not.toEqual([])
  expect(events.at(-1)).toMatchObject({ event: 'completed', result: { digest: shellDigest(tree) } })
  const { attemptsStarted, attemptsMade } = await fleet.job('default', 'killed')
  expect({ attemptsStarted, attemptsMade }).toEqual({ attemptsStarted: 2, attemptsMade: 1 })
})

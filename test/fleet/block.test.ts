/** What is said of a block as more of it is known. */
import { expect, it } from 'vitest'
import { Block } from '../../src/fleet/block.ts'
import type { Executor } from '../../src/fleet/executor.ts'
import type { Sighting } from '../../src/fleet/sight.ts'

const frame = (url: string, line: number, name = 'f') => ({ name, url, line, column: 3 })
const REPORT = { seq: 1, name: 'report', id: '41', queue: 'q' }

function blockOf(held: number, sighting?: Sighting, native = false): Block {
  const runs = new Map(
    Array.from({ length: held }, (_, i) => [
      i + 1,
      { seq: i + 1, job: { name: 'report', id: String(i + 41), queueName: 'q' } },
    ]),
  )
  const block = new Block({ runs } as unknown as Executor, 0)
  block.native = native
  if (sighting !== undefined) block.saw(sighting)
  return block
}

const seen = (run: Sighting['run'], ...urls: string[]): Sighting => ({
  run,
  frames: urls.map((url, i) => frame(url, i + 1)),
})

it.each([
  ['one run, no stack yet', blockOf(1), REPORT],
  ['many runs, no stack yet', blockOf(3), undefined],
  ['many runs, and a stack in the context of one', blockOf(3, seen(REPORT, 'file:///j/report.ts')), REPORT],
  ['one run, and a stack in no context: not its doing', blockOf(1, seen(null)), undefined],
  ['one run, and a stack from after a native call', blockOf(1, seen(null), true), REPORT],
])('knows the job: %s', (_what, block, job) => {
  expect(block.job).toEqual(job)
})

it.each([
  ['a line of the project', ['file:///p/report.ts'], /^at .*report\.ts:1:3$/],
  ['Node below it', ['node:internal/perf', 'file:///p/report.ts'], /^at .*report\.ts:2:3$/],
  ['a library below it', ['file:///p/node_modules/lib/i.js', 'file:///p/report.ts'], /^at .*report\.ts:2:3$/],
  ['only a library', ['file:///p/node_modules/lib/i.js'], /^at .*lib\/i\.js:1:3$/],
  ['code without a file', ['', 'node:vm'], /^outside of any job file$/],
])('names the innermost line of the project: %s', (_what, urls, where) => {
  expect(blockOf(1, seen(REPORT, ...urls)).where).toMatch(where)
})

it.each([
  ['before it returned', undefined, /^in native code$/],
  [
    'a function of Node',
    seen(REPORT, 'node:internal/crypto/pbkdf2', 'file:///p/report.ts'),
    /^in native code called at .*:2:3$/,
  ],
  ['one of the language', seen(REPORT, 'file:///p/report.ts'), /^in native code that returned to .*:1:3$/],
])('says what is known of native code: %s', (_what, sighting, where) => {
  expect(blockOf(1, sighting, true).where).toMatch(where)
})

it('fails with the stack that was taken', () => {
  const failure = blockOf(2, seen(REPORT, 'file:///p/report.ts', 'node:events')).failure(1_000)
  expect(failure).toMatchObject({ name: 'BlockedError', code: 'JOB_BLOCKED' })
  expect(failure.stack).toBe(`BlockedError: ${failure.message}\n    at f (file:///p/report.ts:1:3)`)
})

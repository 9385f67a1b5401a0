/** The last words of a real process, which is ended by what its own code throws. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { DyingWords } from '../../../src/fleet/protocol.ts'

const CULPRIT = fileURLToPath(new URL('../../../src/fleet/inside/culprit.ts', import.meta.url))

/** Runs `code` in a process that is watched, and returns what it said at its end. */
function wordsOf(code: string): { words: DyingWords; status: number | null } {
  const script = `
    import { writeSync } from 'node:fs'
    const { watchForEnd } = await import(process.argv[1])
    watchForEnd(words => writeSync(1, JSON.stringify(words)))
    ${code}`
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script, CULPRIT], {
    encoding: 'utf8',
  })
  return { words: JSON.parse(stdout) as DyingWords, status }
}

const odd = (member: string) =>
  `Object.defineProperty(new Error('odd'), '${member}', { get() { throw new Error('no') } })`

it.each([
  ['an error', `new Error('odd')`, 'threw outside its own promise: odd'],
  ['an error whose stack throws', odd('stack'), 'threw outside its own promise: odd'],
  [
    'an error whose message throws',
    odd('message'),
    'threw outside its own promise: threw something (object) that cannot be read: no',
  ],
  ['a text', `'odd'`, 'threw outside its own promise: threw string: "odd"'],
])('says that %s was thrown in a timer, and ends with exit code 1', (_what, thrown, message) => {
  const { words, status } = wordsOf(`setTimeout(() => { throw ${thrown} }, 1)`)
  expect(words).toMatchObject({ cause: 'uncaught', seq: null, message })
  expect(status).toBe(1)
})

it('says which exit code it was ended with, and where', () => {
  const { words, status } = wordsOf('const leave = () => process.exit(7); leave()')
  expect(words).toMatchObject({ cause: 'exit', exitCode: 7, message: 'called process.exit(7)' })
  expect(words.stack).toContain('at leave')
  expect(status).toBe(7)
})

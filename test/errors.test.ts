import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  ArgsError,
  CrashError,
  CrashLoopError,
  ERRORS,
  NoHandlerError,
  RunnerError,
  TimeoutError,
  messageOf,
} from '../src/errors.ts'

const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')

describe('docs/errors.md', () => {
  test('lists exactly the codes there are, each with its exit code and what happens', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \| (.*) \|$/gm)]
    expect(rows.map(([, code, exit, what]) => [code, Number(exit), what])).toEqual(
      Object.entries(ERRORS).map(([code, [exit, what]]) => [code, exit, what]),
    )
  })

  test('is published with the pages beside it, since README.md of the package links to them', () => {
    const { files } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      files: string[]
    }
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    const linked = [...readme.matchAll(/\]\(((?:docs|deploy)\/[\w/.-]*)\)/g)].map(([, file = '']) => file)
    expect(linked).toContain('docs/errors.md')
    expect(files).toEqual(expect.arrayContaining(linked.map(file => file.split('/')[0])))
  })
})

test('every code is raised somewhere: it stands in src/ or bin/ outside of the table', () => {
  const root = new URL('..', import.meta.url)
  const text = globSync(['src/**/*.ts', 'bin/*.js'], { cwd: root })
    .map(file => readFileSync(new URL(file, root), 'utf8'))
    .join('\n')
    .replace(/^export const ERRORS = \{.*?^\}/ms, '')
  const raised = new Set(text.match(/(?<=')[A-Z][A-Z_]+(?=')/g))
  expect(Object.keys(ERRORS).filter(code => !raised.has(code))).toEqual([])
})

describe('RunnerError', () => {
  test('has the exit code of its code, and keeps hint, details and cause', () => {
    const cause = new Error('deeper')
    const error = new RunnerError('JOB_UNKNOWN', 'no such job', { hint: 'try x', details: { a: 1 }, cause })
    expect(error).toMatchObject({ exitCode: 6, hint: 'try x', details: { a: 1 }, cause, name: 'RunnerError' })
    expect(new RunnerError('USAGE', 'x').hint).toBeUndefined()
  })

  test.each([
    [TimeoutError, 'TimeoutError', 'JOB_TIMEOUT'],
    [CrashError, 'CrashError', 'JOB_CRASHED'],
    [CrashLoopError, 'CrashLoopError', 'JOB_CRASH_LOOP'],
    [NoHandlerError, 'NoHandlerError', 'NO_HANDLER'],
    [ArgsError, 'ArgsError', 'ARGS_INVALID'],
  ])('%o is known by its name and has its code', (Class, name, code) => {
    const error = new Class('why')
    expect(error).toBeInstanceOf(RunnerError)
    expect(error).toMatchObject({ name, code, message: 'why' })
  })
})

test('messageOf says one line for anything thrown', () => {
  expect([new Error('a'), 'b', undefined, { c: 1 }].map(messageOf)).toEqual([
    'a',
    'b',
    'undefined',
    '[object Object]',
  ])
})

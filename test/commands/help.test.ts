import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { splitLine } from '../../src/commands/completion/typed-line.ts'
import { VERBS } from '../../src/commands/verbs.ts'
import { OPTIONS, type Option } from '../../src/options.ts'
import { helpOf, wholeProgram } from '../helpers/program.ts'

const helps = new Map<string, string>()
beforeAll(async () => {
  for (const [name, command] of (await wholeProgram()).verbs) helps.set(name, helpOf(command))
})

const examplesOf = (verb: string): string[] =>
  [...(helps.get(verb) ?? '').matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = '']) => line)

/** The words after `runner`, up to what is the shell's. */
function argsOf(example: string): string[] {
  const { words, last } = splitLine(example)
  const all = [...words, last].filter(word => word !== '')
  const end = all.findIndex(word => ['|', '<', '>', '>>', '&&', '#'].includes(word))
  const start = all.indexOf('runner')
  expect(start, example).toBeGreaterThanOrEqual(0)
  return all.slice(start + 1, end < 0 ? undefined : end)
}

/** Which verb `args` call, with every action taken out. Throws what commander says of wrong ones. */
async function calledBy(args: string[]): Promise<string | undefined> {
  const { program, verbs } = await wholeProgram()
  let called: string | undefined
  for (const [name, command] of verbs) command.action(() => void (called = name))
  await program.parseAsync(args, { from: 'user' })
  return called
}

describe.each(Object.keys(VERBS))('runner %s --help', verb => {
  test('has examples, which are lines that it takes', async () => {
    const examples = examplesOf(verb)
    expect(examples.length).toBeGreaterThan(0)
    const called = await Promise.all(examples.map(line => calledBy(argsOf(line))))
    // One may show what goes before or after it; the first is of the verb itself.
    expect(called).toContain(verb)
    expect(called.filter(name => name === undefined)).toEqual([])
  })

  test('names its exit codes, in order', () => {
    const [, list = ''] = /\nExit codes:\n([^]*)$/.exec(helps.get(verb) ?? '') ?? []
    const codes = list
      .trimEnd()
      .split('\n')
      .map(line => Number(/^ +(\d+) {2}\w/.exec(line)?.[1]))
    expect(codes).toEqual([...new Set(codes)].sort((a, b) => a - b))
    expect(codes).toEqual(expect.arrayContaining([0, 2]))
  })

  test('fits on a screen of 80 columns, examples and their remarks aside', () => {
    const [upper = ''] = (helps.get(verb) ?? '').split('\nExamples:')
    expect(upper.split('\n').filter(line => line.length > 80)).toEqual([])
  })
})

test('an example that is wrong is noticed', async () => {
  await expect(calledBy(argsOf('runner migrations wait x --timeot 3m | jq'))).rejects.toThrow('--timeot')
  await expect(calledBy(argsOf('runner migrations wait'))).rejects.toThrow("missing required argument 'run'")
  expect(await calledBy(argsOf('FOO=1 runner init < x # remark'))).toBe('init')
})

test('every command line of README.md is taken', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const lines = [...readme.matchAll(/^\$ (?:npx )?(runner .*)$/gm)].map(([, line = '']) => line)
  // `pause|resume|cancel` are three.
  const all = lines.flatMap(line => {
    const [choice] = /(?<= )[a-z-]+(\|[a-z-]+)+(?= )/.exec(line) ?? []
    return choice === undefined ? [line] : choice.split('|').map(one => line.replace(choice, one))
  })
  expect(all.length).toBeGreaterThan(lines.length)
  const called = await Promise.all(all.map(async line => [line, await calledBy(argsOf(line))]))
  expect(called.filter(([, verb]) => verb === undefined)).toEqual([])
})

/** By scope, a verb that has its flags. */
const TAKERS: Record<Option['scope'], string> = {
  global: 'init',
  work: 'work',
  http: 'serve',
  scale: 'serve',
}

test.each(Object.entries(OPTIONS) as [string, Option][])(
  'the flag of %s says its variable, its key and its default',
  (key, { flag, env, default: fallback, scope }) => {
    if (flag === undefined) return
    const help = (helps.get(TAKERS[scope]) ?? '').replaceAll(/\s+/g, ' ')
    const given = [fallback ?? []].flat().map(String).join(', ')
    const told = [
      `env: ${env.join(' or ')}`,
      `config: ${key}`,
      ...(given === '' ? [] : [`default: ${given}`]),
    ]
    const [, shown = ''] = help.split(` ${flag} `)
    expect(shown.slice(0, shown.indexOf(' --'))).toContain(`(${told.join(', ')})`)
  },
)

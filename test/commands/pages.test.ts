/** docs/cli.md and docs/exit-codes.md say what the help of the verbs says: no more, no less. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { beforeAll, describe, expect, test } from 'vitest'
import { MEANINGS } from '../../src/commands/help.ts'
import { EXIT } from '../../src/errors.ts'
import { OPTIONS, type Option } from '../../src/options.ts'
import { helpOf, ownFlags, wholeProgram, type WholeProgram } from '../helpers/program.ts'

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
/** The cells of the rows under `heading`, without those of the head. */
function rowsOf(text: string, heading: string): string[][] {
  const [, chapter = ''] = new RegExp(`^#+ ${heading}\n([^]*?)(?=^#|\\s*$(?![^]))`, 'm').exec(text) ?? []
  const rows = chapter.split('\n').filter(line => line.startsWith('| '))
  return rows.slice(1).map(row =>
    row
      .slice(2, -2)
      .split(/(?<!\\) \| /)
      .map(cell => cell.trim()),
  )
}
const code = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, inner = '']) => inner)

let whole: WholeProgram
beforeAll(async () => {
  whole = await wholeProgram()
})

function usageOf(name: string, { registeredArguments }: Command): string {
  const args = registeredArguments.map(argument => {
    const text = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${text}>` : `[${text}]`
  })
  return ['runner', name, ...args].join(' ')
}

describe('docs/cli.md', () => {
  const text = page('cli.md')

  test('has every verb, with its arguments and its own flags', () => {
    const documented = rowsOf(text, 'Verbs').map(([usage = '', flags = '']) => [code(usage)[0], code(flags)])
    const real = [...whole.verbs].map(([name, command]) => [usageOf(name, command), ownFlags(command)])
    expect(documented).toEqual(real)
  })

  test('has every flag that all verbs take, and every setting with its flag, variables and default', () => {
    const settings = Object.entries(OPTIONS) as [string, Option][]
    const ofSettings = new Set(settings.map(([, { flag }]) => flag))
    const shared = whole.program.options.map(({ flags }) => flags).filter(flags => !ofSettings.has(flags))
    const documented = rowsOf(text, 'Flags of every verb').flatMap(([flag = '']) => code(flag))
    expect(new Set([...documented, '-V, --version'])).toEqual(new Set([...shared, '-h, --help']))

    expect(
      rowsOf(text, 'Settings').map(([key = '', flag = '', env = '', fallback = '']) => ({
        key: code(key)[0],
        flag: code(flag)[0],
        env: code(env),
        fallback,
      })),
    ).toEqual(
      settings.map(([key, { flag, env, default: fallback }]) => ({
        key,
        flag,
        env,
        fallback: key === 'executors' ? 'cores' : shownDefault(fallback),
      })),
    )
  })

  test('says rightly which verbs take the flags of a replica', () => {
    const takers = [...whole.verbs].filter(([, { options }]) =>
      options.some(({ long }) => long === '--grace'),
    )
    expect(takers.map(([name]) => name)).toEqual(['work', 'dev', 'config'])
    const first = Object.values<Option>(OPTIONS).slice(0, 5)
    expect(first.every(({ scope }) => scope === 'global')).toBe(true)
  })
})

function shownDefault(fallback: unknown): string {
  return typeof fallback === 'object' && !Array.isArray(fallback)
    ? ''
    : [fallback ?? []].flat().map(String).join(', ')
}

test('docs/exit-codes.md has every exit code, and the verbs whose help names it', () => {
  const verbs = new Map(Object.values(EXIT).map(exit => [exit, [] as string[]]))
  for (const [name, command] of whole.verbs) {
    const [, list = ''] = /\nExit codes:\n([^]*)$/.exec(helpOf(command)) ?? []
    for (const [, exit] of list.matchAll(/^ +(\d+) /gm)) verbs.get(Number(exit) as never)?.push(name)
  }
  const real = (Object.entries(EXIT) as [keyof typeof EXIT, (typeof EXIT)[keyof typeof EXIT]][]).map(
    ([name, exit]) => {
      const enders = verbs.get(exit) ?? []
      const all = enders.length === whole.verbs.size
      return `| ${exit} | \`${name}\` | ${MEANINGS[name]} | ${all ? 'all' : enders.map(verb => `\`${verb}\``).join(', ')} |`
    },
  )
  expect(page('exit-codes.md').match(/^\| \d.*$/gm)).toEqual(real)
})

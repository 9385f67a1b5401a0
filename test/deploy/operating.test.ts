/** docs/operating.md: what an alert leads to is there, and what it tells to type exists. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { EXIT } from '../../src/errors.ts'
import { wholeProgram } from '../helpers/program.ts'

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
const page = read('docs/operating.md')

it('has a section for each alert, and for no other', () => {
  const { groups } = parse(read('deploy/prometheus/alerts.yaml')) as {
    groups: { rules: { alert: string }[] }[]
  }
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
  const sections = [...page.matchAll(/^### (Runner\w+)$/gm)].map(([, name]) => name)
  expect(sections).toEqual(alerts)
})

it('names verbs that there are', async () => {
  const { verbs } = await wholeProgram()
  const called = [...page.matchAll(/(?:`|\$ |\| )runner ([a-z0-9]+(?: [a-z][a-z-]+)?)/g)].map(
    ([, words = '']) => words,
  )
  expect(called.length).toBeGreaterThan(20)
  const unknown = called.filter(words => !verbs.has(words) && !verbs.has(words.split(' ')[0] ?? ''))
  expect(unknown).toEqual([])
})

it('names exit codes that there are', () => {
  const codes = [...page.matchAll(/^\| (\d+)[ ,]/gm)].map(([, code]) => Number(code))
  const known: readonly number[] = [...Object.values(EXIT), 137]
  expect(codes.filter(code => !known.includes(code))).toEqual([])
  expect(codes.length).toBeGreaterThan(5)
})

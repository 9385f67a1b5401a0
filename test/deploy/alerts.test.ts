/** The alert rules ask only for what is told, and fire where they should. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { fullExposition, unknownIn } from '../helpers/exposition.ts'
import { hasPromtool, promtool } from '../helpers/promtool.ts'

interface Rule {
  alert: string
  expr: string
  labels: { severity: string }
  annotations: { summary: string; description: string }
}

const pathOf = (name: string) => fileURLToPath(new URL(`../../deploy/prometheus/${name}`, import.meta.url))
const { groups } = parse(readFileSync(pathOf('alerts.yaml'), 'utf8')) as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap(group => group.rules)

it('asks only for series and labels that there are', async () => {
  const all = await fullExposition()
  expect(rules.flatMap(({ expr }) => unknownIn(expr, all))).toEqual([])
})

it('says of each alert how bad it is, what it is and what to do', () => {
  for (const { alert, labels, annotations } of rules) {
    expect(alert).toMatch(/^Runner[A-Z]/)
    expect(['warning', 'critical']).toContain(labels.severity)
    expect(annotations.summary.length, alert).toBeLessThan(90)
    expect(annotations.description.length, alert).toBeGreaterThan(60)
  }
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
})

it('tells environments apart', () => {
  const groups = rules.flatMap(({ expr }) => [...expr.matchAll(/\b(?:by|on) \(([^)]+)\)/g)])
  expect(groups.length).toBeGreaterThanOrEqual(rules.length)
  expect(groups.map(([, labels]) => labels).filter(labels => !/^namespace\b/.test(labels ?? ''))).toEqual([])
})

it('has each of its alerts fire in a test of its own', () => {
  const tests = readFileSync(pathOf('alerts.test.yaml'), 'utf8')
  expect(rules.map(({ alert }) => alert).filter(alert => !tests.includes(alert))).toEqual([])
})

it.skipIf(!hasPromtool)('are rules, which do what their tests say, to promtool (without it: skipped)', () => {
  const checked = promtool(['check', 'rules', pathOf('alerts.yaml')])
  expect(checked.said).toContain(`${rules.length} rules found`)
  expect(checked.code).toBe(0)
  const tested = promtool(['test', 'rules', pathOf('alerts.test.yaml')])
  expect(tested).toEqual({ code: 0, said: expect.stringContaining('SUCCESS') })
})

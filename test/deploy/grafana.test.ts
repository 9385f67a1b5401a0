/** The dashboard asks only for what is told, in PromQL that is one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import { fullExposition, unknownIn } from '../helpers/exposition.ts'
import { hasPromtool, promtool } from '../helpers/promtool.ts'

interface Panel {
  title: string
  description: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets: { expr: string; refId: string; legendFormat: string }[]
}

const FILE = new URL('../../deploy/grafana/runner.json', import.meta.url)
const { panels, templating } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  panels: Panel[]
  templating: { list: { name: string; definition?: string; allValue?: string }[] }
}
const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))

it('has eight panels, each with a title and what it means, none over another', () => {
  expect(panels.map(({ title }) => title)).toEqual([
    'Backlog',
    'Latency',
    'Throughput',
    'Duration',
    'Failures',
    'Capacity',
    'Reliability',
    'Runtime',
  ])
  const places = panels.map(({ gridPos: { x, y, w, h } }) => `${x},${y} ${w}x${h}`)
  expect(new Set(places).size).toBe(8)
  for (const { description, targets, gridPos } of panels) {
    expect(description).not.toBe('')
    expect([gridPos.x % 12, gridPos.w, gridPos.y % gridPos.h]).toEqual([0, 12, 0])
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
  }
})

it('asks only for series and labels that there are', async () => {
  const all = await fullExposition()
  expect(expressions.flatMap(expr => unknownIn(expr, all))).toEqual([])
  const queue = templating.list.find(({ name }) => name === 'queue')
  expect(queue?.definition).toBe('label_values(runner_slots{namespace=~"$namespace"}, queue)')
  expect(all.get('runner_slots')?.has('queue')).toBe(true)
  // That it would be seen.
  expect(unknownIn('sum by (quee) (runner_slotz{queue="a"} + runner_queue_jobs{state="wait"})', all)).toEqual(
    [
      'no series runner_slotz',
      'runner_slotz has no label queue',
      'runner_queue_jobs has no state wait',
      'nothing has the label quee',
    ],
  )
})

it('tells environments apart, and shows all where none has a name', () => {
  const namespace = templating.list.find(({ name }) => name === 'namespace')
  expect(namespace?.definition).toBe('label_values(runner_slots, namespace)')
  // Without Kubernetes there is no such label, which is as an empty one.
  expect(namespace?.allValue).toBe('.*')
  for (const expr of expressions) {
    for (const [series] of expr.matchAll(/\b(?:runner|process)_\w+(?:\{[^}]*\})?/g))
      expect(series).toContain('{namespace=~"$namespace"')
    for (const [, labels] of expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)) expect(labels).toMatch(/^namespace\b/)
    expect(expr).not.toMatch(/\b(?:sum|max|min|count)\(/)
  }
  for (const { targets } of panels)
    for (const { legendFormat } of targets) expect(legendFormat).toContain('{{namespace}}')
})

it('shows what is wanted beside what may be had', () => {
  const asked = panels
    .find(({ title }) => title === 'Capacity')
    ?.targets.map(({ expr }) => expr)
    .join(' ')
  expect(asked).toContain('runner_queue_wanted_replicas')
  expect(asked).toContain('runner_queue_max_replicas')
})

it('names in each legend only labels that its expression leaves', () => {
  for (const { targets } of panels)
    for (const { expr, legendFormat } of targets) {
      const left = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, by = '']) => by.split(', '))
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        expect(left, `${legendFormat} of ${expr}`).toContain(label)
    }
})

it.skipIf(!hasPromtool)('is PromQL, as promtool reads it (without it: skipped)', () => {
  const rules = expressions.map((expr, i) => ({
    record: `panel:expression_${i}:any`,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$queue', '.+').replaceAll('$namespace', '.*'),
  }))
  const folder = mkdtempSync(join(tmpdir(), 'test-dashboard-'))
  const file = join(folder, 'rules.yaml')
  writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules }] }))
  const { code, said } = promtool(['check', 'rules', file])
  rmSync(folder, { recursive: true })
  expect(said).toContain(`${expressions.length} rules found`)
  expect(code).toBe(0)
})

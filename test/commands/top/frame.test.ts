import { expect, it } from 'vitest'
import { frame, wholeText } from '../../../src/commands/top/frame.ts'
import { firstView } from '../../../src/commands/top/view.ts'
import { fleetOf } from './snapshots.ts'

const view = { ...firstView('redis://a-redis-with-a-long-name.internal.example:6379'), stale: '' }
const textOf = (columns: number, rows: number, focus = 0) =>
  frame(fleetOf(50, 10), { ...view, focus }, columns, rows).map(({ text }) => text)

it.each([
  [80, 24],
  [200, 50],
  [100, 30],
])('fills %i columns and %i lines, and cuts nothing that has to be read', (columns, rows) => {
  for (const focus of [0, 1, 2, 3]) {
    const lines = textOf(columns, rows, focus)
    expect(lines.length).toBe(rows)
    expect(new Set(lines.map(line => line.length))).toEqual(new Set([columns]))
    for (const line of [lines[0], lines.at(-1)]) expect(line).not.toContain('…')
    const text = lines.join('\n')
    expect(text).toContain('at jobs/reports/render.ts:120:15')
    expect(text).toContain('render-report')
    for (const part of ['QUEUES', 'RUNNING', 'REPLICAS', 'MIGRATIONS']) expect(text).toContain(part)
    expect(text).toContain('q quit')
  }
})

it('gives the part that is looked at what the others leave', () => {
  expect(textOf(80, 24, 0).filter(line => line.includes(' queue-')).length).toBeGreaterThan(10)
  const replicas = textOf(80, 24, 2).filter(line => line.startsWith('  web-7f9c6d5b8-'))
  expect(replicas.length).toBe(10)
})

it('shows first what somebody should look at, where not all is shown', () => {
  // Nobody works queue-3, and it is not one of the longest.
  const lines = frame(fleetOf(50, 10), { ...view, focus: 1 }, 80, 24)
  const queues = lines.filter(({ text }) => text.startsWith('  queue-'))
  expect(queues[0]).toMatchObject({
    style: 'red',
    text: expect.stringMatching(/^ {2}queue-3 +unworked/) as string,
  })
})

it('survives a terminal in which there is no room', () => {
  for (const [columns, rows] of [
    [20, 5],
    [1, 1],
    [80, 3],
  ] as const)
    expect(() => textOf(columns, rows)).not.toThrow()
})

it('is all of it, where there is no screen', () => {
  const text = wholeText(fleetOf(50, 10), view, 160)
  expect(text.split('\n').filter(line => line.startsWith('  queue-')).length).toBe(50)
  expect(text).toContain('185k')
  expect(text).toContain('███░░░░░░░ 30/100')
})

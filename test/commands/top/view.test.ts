import { expect, it } from 'vitest'
import { SECTIONS, type Section } from '../../../src/commands/top/section.ts'
import {
  firstView,
  onKey,
  selectedIndex,
  shownRows,
  type Answer,
  type View,
} from '../../../src/commands/top/view.ts'
import { fleetOf } from './snapshots.ts'

const fleet = fleetOf(20, 5)

function press(view: View, ...keys: string[]): Answer {
  let answer: Answer = { view }
  for (const key of keys) answer = onKey(answer.view, fleet, key)
  return answer
}

function shown(view: View): string[] {
  const section = SECTIONS[view.focus] as Section
  return shownRows(section, view.focus, fleet, view).map(section.id)
}

const first = firstView('here')

it('keeps the row that is selected when others pass it', () => {
  const { view } = press(first, 'j', 'j')
  expect(view.parts[0]?.selected).toBe('queue-17')
  const reversed = press(view, 'o').view
  const rows = shownRows(SECTIONS[0] as Section, 0, fleet, reversed)
  expect(selectedIndex(SECTIONS[0] as Section, 0, rows, reversed)).toBe(17)
})

it('sorts by each column, either way', () => {
  expect(shown(first).slice(0, 2)).toEqual(['queue-19', 'queue-18'])
  // After WAIT comes ACT.
  expect(shown(press(first, 's').view)[0]).toBe('queue-1')
  expect(shown(press(first, 'o').view)[0]).toBe('queue-0')
})

it('finds by what is typed, until Esc', () => {
  const { view } = press(first, '/', 'q', 'u', 'e', 'u', 'e', '-', '1', 'x', 'backspace', 'enter')
  expect(shown(view).length).toBe(11)
  expect(shown(press(view, 'escape').view).length).toBe(20)
  // Left without Enter, it is as it was.
  expect(shown(press(first, '/', 'x', 'escape').view).length).toBe(20)
  // What would do something elsewhere is a letter here.
  expect(press(first, '/', 'q', 'C', 'r')).toMatchObject({ view: { typing: 'qCr' } })
})

it('acts on the row that is selected, on what destroys only in upper case or after a yes', () => {
  expect(press(first, 'p').action).toMatchObject({
    kind: 'pause',
    section: 'queues',
    row: { queue: 'queue-19' },
  })
  expect(press(first, 'r').action).toBeUndefined()
  expect(press(first, 'r').view.asked?.question).toBe('retry all failed jobs of queue-19?')
  expect(press(first, 'r', 'n').action).toBeUndefined()
  expect(press(first, 'r', 'y').action).toMatchObject({ kind: 'retry' })
  expect(press(first, '2', 'c').action).toBeUndefined()
  expect(press(first, '2', 'C').action).toMatchObject({ kind: 'cancel', row: { id: '17' } })
  expect(press(first, 'C').action).toBeUndefined()
  expect(press(first, '4', 'p', 'C').action).toBeUndefined()
  expect(press(first, 'q').quit).toBe(true)
})

/** How a snapshot is looked at, and what a key makes of that. Pure: what changes the fleet is handed on as an action. */
import { SECTIONS, type Section } from './section.ts'
import type { Snapshot } from '../../steering/snapshot.ts'

/** What somebody wants done to the row that is selected. */
export interface Action {
  kind: 'pause' | 'retry' | 'cancel'
  section: Section['name']
  row: unknown
}

interface Part {
  /** Id of the row that is selected. */
  selected?: string
  sortedBy: number
  /** Smallest first. */
  reversed: boolean
  filter: string
}

export interface View {
  /** Where Redis is. */
  location: string
  /** Index of the part that is looked at. */
  focus: number
  parts: readonly Part[]
  /** What is typed so far, of a filter. */
  typing?: string
  asked?: { question: string; action: Action }
  /** What came of the last key. */
  message: string
  /** Why what is shown is old. */
  stale: string
}

export type Answer = { view: View; action?: Action; quit?: true }

export function firstView(location: string): View {
  return {
    location,
    focus: 0,
    parts: SECTIONS.map(({ sortedBy }) => ({ sortedBy, reversed: false, filter: '' })),
    message: '',
    stale: 'reading Redis',
  }
}

/** Those that the filter lets pass, sorted. */
export function shownRows(section: Section, index: number, snapshot: Snapshot, view: View): unknown[] {
  const { sortedBy, reversed, filter } = view.parts[index] as Part
  const column = section.columns[sortedBy]
  const needle = filter.toLowerCase()
  const rows = section
    .rows(snapshot)
    .filter(
      row => needle === '' || section.columns.some(({ text }) => text(row).toLowerCase().includes(needle)),
    )
  if (column === undefined) return [...rows]
  const { weight, text } = column
  const order = (a: unknown, b: unknown) =>
    (weight === undefined ? text(a).localeCompare(text(b)) : weight(b) - weight(a)) ||
    section.id(a).localeCompare(section.id(b))
  return rows.toSorted(reversed ? (a, b) => order(b, a) : order)
}

/** The row that was selected, wherever it stands now; the first, when it is gone. */
export function selectedIndex(section: Section, index: number, rows: readonly unknown[], view: View): number {
  const at = rows.findIndex(row => section.id(row) === view.parts[index]?.selected)
  return Math.max(0, at)
}

export function onKey(view: View, snapshot: Snapshot, key: string): Answer {
  if (view.typing !== undefined) return { view: type(view, view.typing, key) }
  if (view.asked !== undefined) {
    const { asked, ...rest } = view
    return key === 'y'
      ? { view: rest, action: asked.action }
      : { view: { ...rest, message: 'nothing was changed' } }
  }
  const calm = { ...view, message: '' }
  const index = view.focus
  const section = SECTIONS[index] as Section
  const rows = shownRows(section, index, snapshot, view)
  const at = selectedIndex(section, index, rows, view)
  const select = (to: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))]
    return { view: change(calm, row === undefined ? {} : { selected: section.id(row) }) }
  }
  const part = view.parts[index] as Part
  switch (key) {
    case 'q':
    case 'ctrl-c':
      return { view, quit: true }
    case 'tab':
      return { view: { ...calm, focus: (index + 1) % SECTIONS.length } }
    case '1':
    case '2':
    case '3':
    case '4':
      return { view: { ...calm, focus: Number(key) - 1 } }
    case 'j':
    case 'down':
      return select(at + 1)
    case 'k':
    case 'up':
      return select(at - 1)
    case 'page-down':
      return select(at + 10)
    case 'page-up':
      return select(at - 10)
    case 's':
      return { view: change(calm, { sortedBy: (part.sortedBy + 1) % section.columns.length }) }
    case 'o':
      return { view: change(calm, { reversed: !part.reversed }) }
    case '/':
      return { view: { ...calm, typing: part.filter } }
    case 'escape':
      return { view: change(calm, { filter: '' }) }
    default:
      return act(calm, section, rows[at], key)
  }
}

function act(view: View, section: Section, row: unknown, key: string): Answer {
  const kinds: Record<string, Action['kind']> = { p: 'pause', r: 'retry', C: 'cancel' }
  const kind = kinds[key]
  const possible: Record<Section['name'], readonly Action['kind'][]> = {
    queues: ['pause', 'retry'],
    running: ['cancel'],
    replicas: ['pause'],
    migrations: ['pause', 'cancel'],
  }
  if (key === 'c' && possible[section.name].includes('cancel'))
    return { view: { ...view, message: 'to cancel: C, upper case' } }
  if (kind === undefined || row === undefined || !possible[section.name].includes(kind)) return { view }
  const action = { kind, section: section.name, row }
  if (kind !== 'retry') return { view, action }
  return { view: { ...view, asked: { question: `retry all failed jobs of ${section.id(row)}?`, action } } }
}

function type(view: View, typed: string, key: string): View {
  const { typing: _, ...rest } = view
  if (key === 'enter') return change(rest, { filter: typed })
  if (key === 'escape' || key === 'ctrl-c') return rest
  if (key === 'backspace') return { ...rest, typing: typed.slice(0, -1) }
  return { ...rest, typing: key.length === 1 ? typed + key : typed }
}

function change(view: View, changes: Partial<Part>): View {
  return { ...view, parts: view.parts.map((part, i) => (i === view.focus ? { ...part, ...changes } : part)) }
}

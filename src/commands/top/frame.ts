/** From a snapshot and how it is looked at to the lines of a screen. Pure. */
import { SECTIONS, short, type Column, type Section } from './section.ts'
import type { Snapshot } from '../../steering/snapshot.ts'
import { selectedIndex, shownRows, type View } from './view.ts'

export interface Line {
  text: string
  style?: 'title' | 'head' | 'selected' | 'red' | 'yellow' | 'dim'
}

/** Lines that a part has at least, when it is not the one that is looked at: its head and so many rows. */
const ROWS_BESIDE = 3

/** Signs of a name: enough to read most of them, and enough to tell them apart. */
const READABLE = 20
const TELLING = 12

/** As many lines as the screen has, none longer than it is wide. */
export function frame(snapshot: Snapshot, view: View, columns: number, rows: number): Line[] {
  const body = rows - 2
  const heights = heightsOf(snapshot, view, body)
  const lines = SECTIONS.flatMap((section, i) =>
    sectionLines(section, i, snapshot, view, columns, heights[i] ?? 0),
  )
  while (lines.length < body) lines.push({ text: '' })
  return [
    { text: fit(titleOf(snapshot, view, columns), columns), style: 'title' as const },
    ...lines.slice(0, body),
    { text: fit(footOf(view), columns), style: 'dim' as const },
  ]
}

/** Everything there is, as text without a screen. */
export function wholeText(snapshot: Snapshot, view: View, columns: number): string {
  const rows = 2 + SECTIONS.reduce((sum, section) => sum + 1 + section.rows(snapshot).length, 0)
  const lines = frame(snapshot, view, columns, rows).slice(0, -1)
  return lines.map(({ text }) => text.trimEnd()).join('\n')
}

/** Where Redis is stands last, and is left out rather than cut. */
function titleOf({ at, replicas, queues, running }: Snapshot, { location }: View, columns: number): string {
  const rate = queues.reduce((sum, one) => sum + one.rate, 0)
  const blocked = replicas.reduce((sum, one) => sum + one.blocked.length, 0)
  const time = new Date(at).toISOString().slice(11, 19)
  const title = `runner top  ${time}Z  ${replicas.length} replicas  ${running.length} running  ${blocked} blocked  ${short(rate)}/s`
  const whole = `${title}  ${location}`
  return whole.length <= columns ? whole : title
}

function footOf(view: View): string {
  if (view.typing !== undefined) return `filter: ${view.typing}_   Enter takes it, Esc leaves it`
  if (view.asked !== undefined) return `${view.asked.question} [y/N]`
  if (view.message !== '') return view.message
  if (view.stale !== '') return view.stale
  const own = {
    queues: 'p pause  r retry failed',
    running: 'C cancel',
    replicas: 'p quiet',
    migrations: 'p pause  C cancel',
  }[SECTIONS[view.focus]?.name ?? 'queues']
  return `Tab part  jk move  s sort  o order  / find  ${own}  q quit`
}

/** The part that is looked at gets what the others leave. */
function heightsOf(snapshot: Snapshot, view: View, body: number): number[] {
  const wanted = SECTIONS.map((section, i) => 1 + shownRows(section, i, snapshot, view).length)
  const heights = wanted.map((want, i) => (i === view.focus ? 1 : Math.min(want, 1 + ROWS_BESIDE)))
  let left = body - heights.reduce((sum, one) => sum + one, 0)
  for (const i of [view.focus, ...heights.keys()]) {
    const more = Math.max(0, Math.min(left, (wanted[i] ?? 0) - (heights[i] ?? 0)))
    heights[i] = (heights[i] ?? 0) + more
    left -= more
  }
  return heights
}

function sectionLines(
  section: Section,
  index: number,
  snapshot: Snapshot,
  view: View,
  columns: number,
  height: number,
): Line[] {
  const focused = index === view.focus
  const sortedRows = shownRows(section, index, snapshot, view)
  // Of a part that shows a few of its rows, those that somebody should look at.
  const isRed = (row: unknown) => section.alarm(row) === 'red'
  const all = focused ? sortedRows : [...sortedRows.filter(isRed), ...sortedRows.filter(row => !isRed(row))]
  const selected = focused ? selectedIndex(section, index, all, view) : -1
  const space = Math.max(0, height - 1)
  const from = Math.max(0, Math.min(selected - Math.floor(space / 2), all.length - space))
  const rows = all.slice(from, from + space)
  const part = view.parts[index]
  const sorted = section.columns[part?.sortedBy ?? 0]
  const layout = layOut(section.columns, rows, columns - 2, {
    counts: `${rows.length < all.length ? `${rows.length} of ` : ''}${all.length}`,
    sorted,
  })
  const head = `${focused ? '>' : ' '} ${layout.head}`
  return [
    { text: fit(head, columns), style: 'head' },
    ...rows.map((row, i): Line => {
      const alarm = section.alarm(row)
      const style = from + i === selected ? ('selected' as const) : alarm
      return { text: fit(`  ${layout.lines[i] ?? ''}`, columns), ...(style === undefined ? {} : { style }) }
    }),
  ]
}

function layOut(
  columns: readonly Column<unknown>[],
  rows: readonly unknown[],
  width: number,
  { counts, sorted }: { counts: string; sorted: Column<unknown> | undefined },
): { head: string; lines: string[] } {
  let kept = columns.map((column, i) => {
    const title = `${column.title}${i === 0 ? ` ${counts}` : ''}${column === sorted ? '*' : ''}`
    const cells = rows.map(row => column.text(row).replaceAll(/[\s\p{Cc}]+/gu, ' '))
    return { column, title, cells, width: Math.max(title.length, ...cells.map(cell => cell.length)) }
  })
  // A part without rows keeps its columns, so that it looks the same as soon as there are some.
  if (rows.length > 0)
    kept = kept.filter(
      ({ column, cells }, i) => i === 0 || column.flexible === 'last' || cells.some(cell => cell !== ''),
    )
  const total = () => kept.reduce((sum, one) => sum + one.width + 2, -2)
  // The widest gives first, and never less than its title takes.
  const squeeze = (flexible: true | 'last', least: number): boolean => {
    const leastOf = ({ title }: { title: string }) => Math.max(title.length, least)
    const widest = kept
      .filter(one => one.column.flexible === flexible && one.width > leastOf(one))
      .toSorted((a, b) => b.width - a.width)[0]
    if (widest === undefined) return false
    widest.width = Math.max(leastOf(widest), widest.width - (total() - width))
    return true
  }
  const leaveOut = (): boolean => {
    const [last] = kept
      .filter(({ column }) => column.dispensable !== undefined)
      .toSorted((a, b) => (a.column.dispensable ?? 0) - (b.column.dispensable ?? 0))
    kept = kept.filter(one => one !== last)
    return last !== undefined
  }
  while (
    total() > width &&
    (squeeze(true, READABLE) || leaveOut() || squeeze(true, TELLING) || squeeze('last', TELLING))
  );
  const join = (cell: (one: (typeof kept)[number]) => string) =>
    kept
      .map(one =>
        one.column.right === true
          ? cut(cell(one), one.width).padStart(one.width)
          : cut(cell(one), one.width).padEnd(one.width),
      )
      .join('  ')
  return { head: join(({ title }) => title), lines: rows.map((_, i) => join(({ cells }) => cells[i] ?? '')) }
}

/** What is cut says so. */
function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

function fit(text: string, width: number): string {
  return cut(text, width).padEnd(width)
}

/** Jobs that run, the longest first. */
import { html } from 'hono/html'
import type { Redaction } from '../../../job/redaction.ts'
import type { RunningJob } from '../../../steering/snapshot.ts'
import { age, count } from '../amount.ts'
import { askedButton, badge, bar, jobLink } from '../controls.ts'
import { tablePart, type Column, type Html } from '../table.ts'

/** Signs of what a job says of its progress. */
const NOTE = 80
/** Jobs that are shown: their ages change, so all of them are sent with every look. */
const SHOWN = 200

export interface Running {
  /** Of each queue those that run for longest. */
  rows: readonly RunningJob[]
  /** How many run in all. */
  all: number
}

export function runningPart({ rows, all }: Running, mayOperate: boolean, redaction: Redaction): Html {
  const columns: Column<RunningJob>[] = [
    { title: 'Job', cell: ({ name }) => name },
    { title: 'Id', cell: ({ queue, id }) => jobLink(queue, id) },
    { title: 'Queue', cell: ({ queue }) => queue },
    { title: 'Age', cell: row => age(row.age), isNumber: true },
    { title: 'Attempt', cell: ({ attemptsMade }) => count(attemptsMade + 1), isNumber: true },
    { title: 'Progress', cell: ({ id, progress }) => progressOf(id, redaction.apply(progress)) },
    {
      title: 'Replica',
      cell: ({ processedBy, blocked }) => where(processedBy ?? '-', blocked !== undefined),
    },
  ]
  if (mayOperate)
    columns.push({
      title: 'Stop',
      cell: ({ queue, id }) =>
        askedButton({ do: 'cancel-job', queue, id }, 'Cancel', `Cancel job ${id} of queue ${queue}`),
    })
  return tablePart<RunningJob>({
    id: 'running',
    title: 'Running jobs',
    rows: rows.toSorted((a, b) => b.age - a.age).slice(0, SHOWN),
    all,
    key: ({ queue, id }) => `${queue} ${id}`,
    columns,
    isAlarm: ({ blocked }) => blocked !== undefined,
    empty: 'Nothing runs.',
  })
}

const where = (replica: string, isBlocked: boolean): Html =>
  html`${replica} ${isBlocked ? badge('blocked', 'bad') : ''}`

/** `ctx.progress` stores done, total and a note; other workers what they like. */
function progressOf(id: string, progress: unknown): Html | string {
  const label = `Progress of job ${id}`
  if (typeof progress === 'number') return html`${bar(progress / 100, label)} ${count(progress)}%`
  if (typeof progress !== 'object' || progress === null) return '-'
  const { done, total, note } = progress as { done?: unknown; total?: unknown; note?: unknown }
  if (typeof done !== 'number') return '-'
  const said = typeof note === 'string' ? ` ${note.slice(0, NOTE)}` : ''
  if (typeof total !== 'number' || !(total > 0)) return `${count(done)}${said}`
  return html`${bar(done / total, label)} ${count(done)} of ${count(total)}${said}`
}

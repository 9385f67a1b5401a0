/** Queues: what waits, what runs, how fast; and their gates. */
import { html } from 'hono/html'
import type { QueueFigures } from '../../../inspector/figures.ts'
import { age, count, rate } from '../amount.ts'
import { badge, button } from '../controls.ts'
import { tablePart, type Column, type Html } from '../table.ts'

export function queuesPart(rows: readonly QueueFigures[], mayOperate: boolean): Html {
  return tablePart<QueueFigures>({
    id: 'fleet-queues',
    title: 'Queues',
    rows,
    key: ({ queue }) => queue,
    columns: mayOperate ? [...COLUMNS, GATE] : COLUMNS,
    isAlarm: one => stateOf(one) === 'unworked',
    empty: 'There is no queue yet.',
  })
}

const COLUMNS: readonly Column<QueueFigures>[] = [
  {
    title: 'Queue',
    cell: ({ queue }) => html`<a href="/queues/queue/${encodeURIComponent(queue)}">${queue}</a>`,
  },
  { title: 'State', cell: one => badge(stateOf(one), TONES[stateOf(one)]) },
  number('Waiting', ({ waiting, prioritized }) => count(waiting + prioritized)),
  number('Active', ({ active, globalConcurrency }) =>
    globalConcurrency === null ? count(active) : `${count(active)} of ${count(globalConcurrency)}`,
  ),
  number('Delayed', ({ delayed }) => count(delayed)),
  number('Failed', ({ failed }) => count(failed)),
  number('Oldest', ({ oldest }) => age(oldest)),
  number('Rate', one => rate(one.rate)),
  number('Slots', ({ slots }) => count(slots)),
]

const GATE: Column<QueueFigures> = {
  title: 'Gate',
  cell: ({ queue, paused }) =>
    paused
      ? button({ do: 'resume-queue', queue }, 'Resume', `Resume queue ${queue}`)
      : button({ do: 'pause-queue', queue }, 'Pause', `Pause queue ${queue}`),
}

const TONES = { paused: 'warn', open: 'good', unworked: 'bad', idle: 'calm' } as const

/** `unworked`: jobs wait, and no replica takes them; `idle`: none waits either. */
function stateOf({ paused, replicas, waiting, prioritized }: QueueFigures): keyof typeof TONES {
  if (paused) return 'paused'
  if (replicas > 0) return 'open'
  return waiting + prioritized > 0 ? 'unworked' : 'idle'
}

function number(title: string, cell: (row: QueueFigures) => string): Column<QueueFigures> {
  return { title, cell, isNumber: true }
}

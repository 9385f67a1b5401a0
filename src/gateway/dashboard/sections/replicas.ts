/** Live replicas, as they say of themselves every five seconds. */
import { html } from 'hono/html'
import type { Replica } from '../../../redis/replicas.ts'
import { age, count, size } from '../amount.ts'
import { badge } from '../controls.ts'
import { tablePart, type Html } from '../table.ts'

export function replicasPart(rows: readonly Replica[], now: number): Html {
  return tablePart<Replica>({
    id: 'replicas',
    title: 'Replicas',
    rows,
    key: ({ id }) => id,
    columns: [
      { title: 'Replica', cell: ({ id }) => id },
      { title: 'State', cell: one => badge(stateOf(one), TONES[stateOf(one)]) },
      { title: 'Host', cell: ({ host }) => host },
      { title: 'Version', cell: ({ version }) => version },
      { title: 'Up', cell: ({ startedAt }) => age(Math.max(0, now - startedAt)), isNumber: true },
      { title: 'Running', cell: one => `${count(one.running)} of ${count(slotsOf(one))}`, isNumber: true },
      { title: 'Memory', cell: ({ rss }) => size(rss), isNumber: true },
      {
        title: 'Queues',
        cell: ({ queues }) => html`<span class="wrap">${Object.keys(queues).join(', ')}</span>`,
      },
    ],
    isAlarm: one => stateOf(one) === 'blocked',
    empty: 'No replica is live: nobody takes jobs. Start one with: runner work',
  })
}

const TONES = { blocked: 'bad', quiet: 'warn', working: 'good', idle: 'calm' } as const

/** `quiet`: it takes no new jobs. `blocked`: an event loop of its executors does not turn. */
function stateOf({ blocked, quiet, running }: Replica): keyof typeof TONES {
  if (blocked.length > 0) return 'blocked'
  if (quiet) return 'quiet'
  return running > 0 ? 'working' : 'idle'
}

function slotsOf({ queues }: Replica): number {
  return Object.values(queues).reduce((sum, one) => sum + one, 0)
}

/**
 * The parts of the page that change, by the id of their element. They depend on nothing but the look and on whether the
 * viewer may operate, so all viewers share two renderings of each look.
 */
import { html } from 'hono/html'
import { Redaction } from '../../job/redaction.ts'
import { count, time } from './amount.ts'
import type { Fleet, Look } from './panel.ts'
import { blockedPart } from './sections/blocked.ts'
import { migrationsPart } from './sections/migrations.ts'
import { queuesPart } from './sections/queues.ts'
import { replicasPart } from './sections/replicas.ts'
import { runningPart } from './sections/running.ts'
import { uploadsPart } from './sections/uploads.ts'
import type { Html } from './table.ts'

/** HTML by id, in the order of the page. */
export type Fragments = ReadonlyMap<string, string>

export class Renderings {
  readonly #redaction: Redaction
  readonly #known = new WeakMap<Look, Map<boolean, Promise<Fragments>>>()

  /** `redact`: as the setting. */
  constructor(redact: readonly string[]) {
    this.#redaction = new Redaction(redact)
  }

  of(look: Look, mayOperate: boolean): Promise<Fragments> {
    const known = this.#known.get(look) ?? new Map<boolean, Promise<Fragments>>()
    this.#known.set(look, known)
    const fragments = known.get(mayOperate) ?? render(look, mayOperate, this.#redaction)
    known.set(mayOperate, fragments)
    return fragments
  }
}

async function render(look: Look, mayOperate: boolean, redaction: Redaction): Promise<Fragments> {
  const { at, fleet, runs, uploads } = look
  const { replicas, running, queues, blocked } = fleet.value ?? {}
  // What is not known, or need not be shown, keeps its place.
  const parts: Record<string, Html | undefined> = {
    summary: summaryOf(look),
    troubles: troublesOf(look),
    blocked: blocked === undefined || blocked.length === 0 ? undefined : blockedPart(blocked),
    'fleet-queues': queues && queuesPart(queues, mayOperate),
    running: running && runningPart({ rows: running, all: activeIn(queues ?? []) }, mayOperate, redaction),
    migrations: runs.value && migrationsPart(runs.value, mayOperate),
    replicas: replicas && replicasPart(replicas, at),
    uploads: uploads && uploadsPart(uploads, at),
  }
  const texts = Object.entries(parts).map(
    async ([id, part]) => [id, String(await (part ?? html`<div id="${id}"></div>`))] as const,
  )
  return new Map(await Promise.all(texts))
}

function summaryOf({ at, fleet }: Look): Html {
  if (fleet.value === undefined) return html`<p id="summary">${time(at)}</p>`
  const { replicas, blocked, queues, at: seen } = fleet.value
  const waiting = queues.reduce((sum, one) => sum + one.waiting + one.prioritized, 0)
  const perSecond = queues.reduce((sum, one) => sum + one.rate, 0)
  return html`<p id="summary">
    <span>${plural(replicas.length, 'replica')}</span> <span>${count(activeIn(queues))} running</span>
    <span>${count(waiting)} waiting</span> <span>${count(blocked.length)} blocked</span>
    <span>${count(perSecond)} a second</span> <span>as of <time>${time(seen)}</time></span>
  </p>`
}

/** Of a queue with many, not all are read. */
const activeIn = (queues: Fleet['queues']): number => queues.reduce((sum, { active }) => sum + active, 0)

/** It is said once when it begins, not again with every look: only what changes is read out. */
function troublesOf({ fleet, runs }: Look): Html {
  const lines = [
    ...(fleet.trouble === undefined ? [] : [`Redis cannot be read: ${fleet.trouble}`]),
    ...(runs.trouble === undefined ? [] : [`Migrations cannot be read: ${runs.trouble}`]),
  ]
  const note =
    fleet.value === undefined ? 'This page shows the fleet as soon as it can.' : 'What is shown is as it was.'
  return html`<div id="troubles" role="status">
    ${lines.map(line => html`<p class="trouble">${line}</p>`)}
    ${lines.length === 0 ? '' : html`<p class="trouble">${note}</p>`}
  </div>`
}

const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`

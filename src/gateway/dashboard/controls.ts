/** What can be pressed, and bars. All buttons belong to one form (page.ts), so that parts of the page are the same for all. */
import { html } from 'hono/html'
import type { Action } from './actions.ts'
import { idOf, type Html } from './table.ts'

/** `label`: what it does to what, for who hears it without the row around it. */
export function button(what: Action, text: string, label: string): Html {
  return html`<button form="act" name="act" value="${JSON.stringify(what)}" aria-label="${label}">
    ${text}
  </button>`
}

/** A button for what cannot be taken back: it is there when it was asked for. */
export function askedButton(what: Action, text: string, label: string): Html {
  const value = JSON.stringify(what)
  const sure = `Yes, ${label.charAt(0).toLowerCase()}${label.slice(1)}`
  return html`<details class="ask" id="${idOf('ask', value)}">
    <summary aria-label="${label}">${text}</summary>
    <button class="danger" form="act" name="act" value="${value}">${sure}</button>
  </details>`
}

/** `share`: 0 to 1; null: nobody knows. */
export function bar(share: number | null, label: string): Html {
  if (share === null) return html`<progress max="100" aria-label="${label}"></progress>`
  const part = Math.round(Math.max(0, Math.min(1, share)) * 100)
  return html`<progress max="100" value="${part}" aria-label="${label}"></progress>`
}

/** A state is a word; its colour only repeats it. */
export const badge = (word: string, tone: 'good' | 'bad' | 'warn' | 'calm'): Html =>
  html`<span class="badge ${tone}">${word}</span>`

/** Where bull-board shows it. */
export const jobLink = (queue: string, id: string): Html =>
  html`<a href="/queues/queue/${encodeURIComponent(queue)}/${encodeURIComponent(id)}">${id}</a>`

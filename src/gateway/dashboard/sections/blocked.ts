/** What holds an event loop: where in the code, for how long, with its stack. */
import { html } from 'hono/html'
import { age } from '../amount.ts'
import type { BlockedJob } from '../blocks.ts'
import { jobLink } from '../controls.ts'
import { idOf, sectionOf, type Html } from '../table.ts'

export function blockedPart(rows: readonly BlockedJob[]): Html {
  const body =
    rows.length === 0
      ? html`<p class="empty">Every event loop turns.</p>`
      : html`<ul class="cards">
          ${rows.map(itemOf)}
        </ul>`
  return sectionOf('blocked', 'Blocked', rows.length, body)
}

function itemOf(block: BlockedJob): Html {
  const { replica, executor, ms, where, queue, job, id, stack } = block
  const key = `${replica} ${executor} ${queue ?? ''} ${id ?? ''}`
  const who =
    queue === undefined || id === undefined
      ? 'One of several jobs'
      : html`${job ?? 'A job'} ${jobLink(queue, id)} of queue ${queue}`
  const trace =
    stack === undefined
      ? html`<p class="empty">No stack: the code is native, or the replica has not answered yet.</p>`
      : html`<details id="${idOf('stack', key)}">
          <summary>Stack</summary>
          <pre tabindex="0">${stack}</pre>
        </details>`
  return html`<li id="${idOf('block', key)}" class="card alarm">
    <p><strong>${who}</strong> holds executor ${executor} of ${replica} for ${age(ms)}</p>
    <p><code class="wrap">${where}</code></p>
    ${trace}
  </li>`
}

/** Runs of migrations: how far, how fast, what holds them, with a bar for each shard. */
import { html } from 'hono/html'
import { isOver, type MigrationRun, type RunState } from '../../../migration/ledger-run.ts'
import type { ShardStatus } from '../../../migration/shard-ledger.ts'
import type { RunProgress } from '../../../steering/run-progress.ts'
import { CANCEL, PAUSE, RESUME } from '../../../steering/moves.ts'
import { age, count, rate as perSecond } from '../amount.ts'
import { askedButton, badge, bar, button } from '../controls.ts'
import { idOf, sectionOf, type Html } from '../table.ts'

/** Shards that are shown of a run: those that are open first. */
const SHOWN = 64

export function migrationsPart(runs: readonly RunProgress[], mayOperate: boolean): Html {
  const body =
    runs.length === 0
      ? html`<p class="empty">No migration goes on.</p>`
      : html`<ul class="cards">
          ${runs.map(progress => cardOf(progress, mayOperate))}
        </ul>`
  return sectionOf('migrations', 'Migrations', runs.length, body)
}

const TONES: Record<RunState, 'good' | 'bad' | 'warn' | 'calm'> = {
  planning: 'calm',
  running: 'good',
  verifying: 'good',
  paused: 'warn',
  succeeded: 'calm',
  failed: 'bad',
  cancelled: 'warn',
}

function cardOf(progress: RunProgress, mayOperate: boolean): Html {
  const { run, rows, failed, rate, left, shards } = progress
  const goes = run.state === 'running'
  const share =
    run.state === 'succeeded' ? 1 : run.estimate === null ? null : rows / Math.max(1, run.estimate)
  return html`<li id="${idOf('run', run.id)}" class="card ${run.state === 'failed' ? 'alarm' : ''}">
    <h3>${run.id} ${badge(run.state, TONES[run.state])}</h3>
    <p class="whole">
      ${bar(share, `Rows of run ${run.id}`)}
      <span class="rows"
        >${count(rows)}${run.estimate === null ? '' : ` of about ${count(run.estimate)}`} rows</span
      >
    </p>
    <dl>
      <div>
        <dt>Rate</dt>
        <dd>${goes ? perSecond(rate) : '-'}</dd>
      </div>
      <div>
        <dt>Left</dt>
        <dd>${goes ? age(left) : '-'}</dd>
      </div>
      <div>
        <dt>Failed rows</dt>
        <dd>${count(failed)}</dd>
      </div>
      <div>
        <dt>Queue</dt>
        <dd>${run.queue}</dd>
      </div>
    </dl>
    ${whyOf(run)} ${shards.length === 0 ? '' : shardsOf(run, shards)}
    ${mayOperate ? html`<div class="buttons">${buttonsOf(run)}</div>` : ''}
  </li>`
}

function whyOf({ error, held, state }: MigrationRun): Html | string {
  if (error !== null) return html`<p class="why">${error}</p>`
  return held === null || isOver(state) ? '' : html`<p class="why">Held: ${held}</p>`
}

function shardsOf({ id, state, estimate }: MigrationRun, shards: readonly ShardStatus[]): Html {
  const share = (estimate ?? 0) / Math.max(1, shards.length)
  const shown = shards.toSorted((a, b) => Number(b.open) - Number(a.open)).slice(0, SHOWN)
  const inOrder = shown.toSorted((a, b) => a.shard - b.shard)
  const open = shards.filter(shard => shard.open)
  const held = open.filter(shard => shard.held).length
  const hidden = shards.length - shown.length
  return html`<details id="${idOf('shards', id)}" ${isOver(state) ? '' : html`open`}>
    <summary>
      ${shards.length} shards: ${held} run, ${open.length - held} wait, ${shards.length - open.length} done
    </summary>
    <ul class="shards">
      ${inOrder.map(shard => shardOf(id, shard, share))}
    </ul>
    ${hidden === 0 ? '' : html`<p class="empty">${hidden} more are not shown.</p>`}
  </details>`
}

/** Where no shard says how many rows it will have, an equal part of the estimate; it is done when it says so. */
function shardOf(run: string, { shard, rows, batchSize, open, held }: ShardStatus, share: number): Html {
  const part = open ? (share === 0 ? 0 : Math.min(0.99, rows / share)) : 1
  const state = held ? 'runs' : open ? 'waits' : 'done'
  return html`<li id="${idOf('shard', `${run} ${shard}`)}">
    <span>Shard ${shard}: ${state}</span>
    ${bar(part, `Shard ${shard} of run ${run}`)}
    <span>${count(rows)} rows, batch ${count(batchSize)}</span>
  </li>`
}

function buttonsOf({ id, state }: MigrationRun): (Html | string)[] {
  return [
    PAUSE.from.includes(state) ? button({ do: 'pause-run', run: id }, 'Pause', `Pause run ${id}`) : '',
    RESUME.from.includes(state) ? button({ do: 'resume-run', run: id }, 'Resume', `Resume run ${id}`) : '',
    CANCEL.from.includes(state)
      ? askedButton({ do: 'cancel-run', run: id }, 'Cancel', `Cancel run ${id}`)
      : '',
  ]
}

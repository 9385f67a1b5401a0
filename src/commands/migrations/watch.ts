/** A run, looked at until it is over: as bars on a terminal, else one JSON event a line. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createLogUpdate } from 'log-update'
import type { Ledger } from '../../migration/ledger.ts'
import { isOver } from '../../migration/ledger-run.ts'
import type { CliContext } from '../verbs.ts'
import { progressOf, textOf, type RunProgress } from '../../steering/run-progress.ts'

const LOOK_EVERY = 500

/** The last one is of a run that is over, unless `signal` aborted before. */
export async function* looks(ledger: Ledger, run: string, signal?: AbortSignal): AsyncGenerator<RunProgress> {
  let progress = await progressOf(ledger, run)
  const isAborted = () => signal?.aborted === true
  while (!isOver(progress.run.state) && !isAborted()) {
    yield progress
    await sleep(LOOK_EVERY, undefined, signal && { signal }).catch(() => undefined)
    progress = await progressOf(ledger, run, progress)
  }
  yield progress
}

/** A pseudo-terminal that nobody looks at has no width. */
export function isScreen({ format }: CliContext): boolean {
  return format === 'text' && process.stdout.isTTY && process.stdout.columns > 0
}

/** What is last stays on the screen. */
export async function drawBars(progresses: AsyncIterable<RunProgress>): Promise<void> {
  const screen = createLogUpdate(process.stdout)
  try {
    for await (const progress of progresses) screen(textOf(progress))
  } finally {
    screen.done()
  }
}

/** When something has changed. */
export async function writeEvents(progresses: AsyncIterable<RunProgress>): Promise<void> {
  let last = ''
  for await (const { run, rows, failed, rate } of progresses) {
    const { id, state, held, estimate } = run
    const event = { event: 'progress', run: id, state, done: rows, total: estimate, failed, held }
    if (JSON.stringify(event) === last) continue
    last = JSON.stringify(event)
    process.stdout.write(`${JSON.stringify({ ...event, rate: rate === null ? null : Math.round(rate) })}\n`)
  }
}

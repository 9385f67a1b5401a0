/** Waits for the end of a run; how it ended is the exit code. A gate for deployments. */
import { setTimeout as sleep } from 'node:timers/promises'
import { RunnerError } from '../../errors.ts'
import type { Ledger } from '../../migration/ledger.ts'
import { formatMilliseconds } from '../../units.ts'
import type { CliContext } from '../verbs.ts'
import { drawBars, isScreen, looks, writeEvents } from './watch.ts'

const LOOK_EVERY = 300

/** The same, and shows how far it is meanwhile. */
export async function follow(
  ledger: Ledger,
  id: string,
  timeout: number | undefined,
  context: CliContext,
): Promise<void> {
  const started = performance.now()
  const signal = timeout === undefined ? undefined : AbortSignal.timeout(timeout)
  await (isScreen(context) ? drawBars : writeEvents)(looks(ledger, id, signal))
  const left = timeout === undefined ? undefined : Math.max(0, timeout - (performance.now() - started))
  await untilOver(ledger, id, left, context)
}

/** Throws MIGRATION_FAILED when it fails or is cancelled, WAIT_TIMEOUT after `timeout` milliseconds. */
export async function untilOver(
  { runs }: Ledger,
  id: string,
  timeout: number | undefined,
  context: CliContext,
): Promise<void> {
  const deadline = performance.now() + (timeout ?? Infinity)
  for (;;) {
    const run = await runs.get(id)
    if (run.state === 'succeeded') return context.print(`run ${id} succeeded`, run)
    if (run.state === 'failed' || run.state === 'cancelled')
      throw new RunnerError(
        'MIGRATION_FAILED',
        `run ${id} ${run.state === 'failed' ? `failed: ${run.error}` : 'was cancelled'}`,
        {
          hint: `runner migrations errors ${id}; runner enqueue ${run.name} goes on where it stopped`,
          details: run,
        },
      )
    if (performance.now() >= deadline)
      throw new RunnerError(
        'WAIT_TIMEOUT',
        `run ${id} is ${run.state} after ${formatMilliseconds(timeout ?? 0)}`,
      )
    await sleep(LOOK_EVERY)
  }
}

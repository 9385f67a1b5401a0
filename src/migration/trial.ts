/** A migration from beginning to end in one process, without Redis: its parts one after the other, as they are rung. */
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import type { JobLog } from '../job/context.ts'
import { Snooze } from '../job/outcome.ts'
import { partId, partPayload, type Part, type PartContext } from '../job/part.ts'
import type { Ledger } from './ledger.ts'
import { isOver, type MigrationRun } from './ledger-run.ts'

/** Milliseconds between two looks at a run that has to wait. */
const PAUSE = 100

export type RunPart = (ctx: PartContext) => unknown

/** What is still to be done of a run, whoever did the rest. */
async function left({ shards }: Ledger, { id: run, state }: MigrationRun): Promise<Part[]> {
  if (state === 'planning') return [{ run, part: 'plan' }]
  if (state === 'verifying') return [{ run, part: 'end' }]
  const open = (await shards.list(run)).filter(shard => shard.open)
  return open.map(({ shard }) => ({ run, part: shard }))
}

/** Goes on with the run until it is over. Rejects with what is not in the ledger: a database that is gone. */
export async function finishRun(
  ledger: Ledger,
  run: string,
  name: string,
  runPart: RunPart,
): Promise<MigrationRun> {
  let fence = 0
  const signal = new AbortController().signal
  const log = Object.assign(async () => {}, pino({ level: 'silent' })) as unknown as JobLog
  for (;;) {
    const now = await ledger.runs.get(run)
    if (isOver(now.state)) return now
    // Rung for again in the next round: what is left is what the ledger says.
    const parts = await left(ledger, now)
    if (parts.length === 0) await ledger.runs.beginVerifying(run)
    for (const part of parts) {
      const id = partId(part)
      const ctx: Partial<PartContext> = {
        args: partPayload(part),
        id,
        name,
        queue: now.queue,
        fence: ++fence,
        attempt: 1,
        signal,
        log,
        breathe: async () => {},
        progressed: () => {},
        enqueue: async (_name, _args, options) => options?.id ?? '',
      }
      try {
        await runPart(ctx as PartContext)
      } catch (error) {
        if (!(error instanceof Snooze)) throw error
        if ((await ledger.runs.get(run)).held !== null) await sleep(PAUSE)
      }
    }
  }
}

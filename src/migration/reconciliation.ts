/**
 * What of the runs in a ledger nobody does: Redis is only a doorbell, and may have forgotten that it was rung. Asked again
 * and again, by every replica: to ring twice does nothing, since a part that waits or runs already has its id.
 */
import type { Part } from '../job/part.ts'
import type { Ledger } from './ledger.ts'

export interface Bell extends Part {
  /** Of the migration. */
  name: string
  queue: string
}

export async function unattended({ runs, shards }: Ledger): Promise<Bell[]> {
  const bells: Bell[] = await shards
    .orphans()
    .then(all => all.map(({ shard, ...rest }) => ({ ...rest, part: shard })))
  for (const { id: run, name, queue } of await runs.toAnnounce())
    bells.push({ run, name, queue, part: 'end' })
  for (const { id: run, name, queue, state } of await runs.unfinished()) {
    if (state === 'planning') bells.push({ run, name, queue, part: 'plan' })
    // The last slice may have died after its shard was done and before it said so.
    else if (state === 'verifying' || (await runs.beginVerifying(run)))
      bells.push({ run, name, queue, part: 'end' })
  }
  return bells
}

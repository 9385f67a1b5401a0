/**
 * A replica whose shard is done takes the far half of the largest that is left: skewed keys, or a slow replica, do not
 * make all others wait for the last shard.
 *
 * The row of the victim's shard is locked while its range is cut, so its cursor stands still; its next batch then sees an
 * end that came nearer, is rolled back, and is cut anew. No row is in both halves.
 */
import type { Ledger } from './ledger.ts'
import { rowsOf, type ShardStatus } from './shard-ledger.ts'
import type { Source } from './source.ts'

/** Open shards that are looked at. */
const LOOKED_AT = 16
/** As far as what is left of a shard is counted, at least. */
const COUNTED = 20_000
/** Batches that have to be left, and milliseconds that they take: less is done before somebody else has begun. */
const WORTH = { batches: 4, ms: 500 }

/** The number of the new shard; undefined: nothing is worth it. */
export async function steal(
  ledger: Ledger,
  source: Pick<Source, 'next' | 'split'>,
  run: string,
): Promise<number | undefined> {
  const shards = await ledger.shards.list(run)
  const open = shards.filter(shard => shard.open)
  const measured = await Promise.all(
    open.slice(0, LOOKED_AT).map(async shard => ({ shard, left: await leftOf(ledger, source, shard) })),
  )
  const [largest] = measured.toSorted((a, b) => b.left - a.left)
  if (largest === undefined || largest.left < worthOf(shards, largest.shard)) return undefined
  return ledger.shards.halve(run, largest.shard.shard, async range => {
    const [near, far] = await source.split(ledger.db, range, 2)
    return far === undefined ? undefined : (near?.until ?? undefined)
  })
}

/** Rows. Of how long one takes nothing is known before a first slice is over. */
function worthOf(shards: readonly ShardStatus[], { batchSize }: ShardStatus): number {
  const known = shards.filter(shard => shard.ms > 0)
  const ms = known.reduce((sum, shard) => sum + shard.ms, 0)
  const perMs = ms === 0 ? 0 : rowsOf(known) / ms
  return Math.max(WORTH.batches * batchSize, Math.min(COUNTED, WORTH.ms * perMs))
}

async function leftOf(
  { db }: Ledger,
  source: Pick<Source, 'next' | 'split'>,
  { cursor, until, batchSize }: ShardStatus,
): Promise<number> {
  const next = await source.next(db, { after: cursor, until }, Math.max(COUNTED, WORTH.batches * batchSize))
  return next?.rows ?? 0
}

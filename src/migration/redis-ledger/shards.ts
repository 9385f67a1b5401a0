/**
 * Shards of a ledger in Redis: compare-and-set on the epoch by scripts. There is no transaction with what the author
 * writes, so rows are given at least once; what a batch leaves in the ledger comes with the cursor, in one script.
 */
import type { Claim, ShardStatus, Shards, Told } from '../shard-ledger.ts'
import { claimOf, LEASE, statusOf, told } from '../shard-ledger.ts'
import type { Transaction } from '../database.ts'
import type { Cursor, Range } from '../source.ts'
import { applyFrom, commandsOf } from './transaction.ts'
import { UNTOUCHED, type Space } from './space.ts'

/** shard -> its fields, or nothing. owner, lease */
const CLAIM = `
if redis.call('HGET', KEYS[1], 'state') ~= 'open' then return {} end
if redis.call('HEXISTS', KEYS[1], 'owner') == 1 then
  local crashes = redis.call('HINCRBY', KEYS[1], 'crashes', 1)
  local size = tonumber(redis.call('HGET', KEYS[1], 'batch_size'))
  if crashes > 2 and size == 1 then redis.call('HINCRBY', KEYS[1], 'alone', 1) end
  if crashes > 2 then redis.call('HSET', KEYS[1], 'batch_size', size < 4 and 1 or math.floor(size / 4)) end
end
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'lease_until', now + ARGV[2])
return redis.call('HGETALL', KEYS[1])`

/** shard, run -> hi, state, batch_max; or nothing. epoch, cursor, to, rows, batch size, lease, key and value ... */
const ADVANCE = `
local is = redis.call('HMGET', KEYS[1], 'epoch', 'state', 'cursor')
if is[1] ~= ARGV[1] or is[2] ~= 'open' or is[3] ~= ARGV[2] then return {} end
redis.call('HSET', KEYS[1], 'cursor', ARGV[3], 'crashes', 0, 'alone', 0, 'batch_size', ARGV[5], 'lease_until', now + ARGV[6])
redis.call('HINCRBY', KEYS[1], 'rows', ARGV[4])
${applyFrom(7)}
return { redis.call('HGET', KEYS[1], 'hi'), unpack(redis.call('HMGET', KEYS[2], 'state', 'batch_max')) }`

/** shard. epoch, batch size, rows and ms seen, ms */
const RELEASE = `
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return end
redis.call('HDEL', KEYS[1], 'owner')
redis.call('HSET', KEYS[1], 'lease_until', 0, 'batch_size', ARGV[2], 'seen_rows', ARGV[3], 'seen_ms', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'ms', ARGV[5])`

/** shard -> 1. epoch, hi, ms, cursor */
const FINISH = `
local is = redis.call('HMGET', KEYS[1], 'epoch', 'hi', 'cursor')
if is[1] ~= ARGV[1] or is[2] ~= ARGV[2] or is[3] ~= ARGV[4] then return 0 end
redis.call('HDEL', KEYS[1], 'owner')
redis.call('HSET', KEYS[1], 'state', 'done', 'lease_until', 0)
redis.call('HINCRBY', KEYS[1], 'ms', ARGV[3])
return 1`

/** shard, shards, new shard -> 1. cursor and hi as they were, cut, number of the new one */
const HALVE = `
local is = redis.call('HMGET', KEYS[1], 'state', 'cursor', 'hi', 'batch_size', 'seen_rows', 'seen_ms')
if is[1] ~= 'open' or is[2] ~= ARGV[1] or is[3] ~= ARGV[2] then return 0 end
if redis.call('SADD', KEYS[2], ARGV[4]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'hi', ARGV[3])
redis.call('HSET', KEYS[3], 'shard', ARGV[4], 'lo', ARGV[3], 'hi', ARGV[2], 'cursor', ARGV[3],
  'batch_size', is[4], 'seen_rows', is[5], 'seen_ms', is[6], ${UNTOUCHED})
return 1`

type Fields = Record<string, string>

export class RedisShards implements Shards {
  readonly #space: Space

  constructor(space: Space) {
    this.#space = space
  }

  async claim(run: string, shard: number, owner: string): Promise<Claim | undefined> {
    const fields = await this.#space.call<string[]>(CLAIM, [this.#space.shard(run, shard)], [owner, LEASE])
    return fields.length === 0 ? undefined : claimOf(run, shard, record(fields))
  }

  async advance(
    tx: Transaction,
    { run, shard, epoch, cursor, size }: Claim,
    to: Cursor,
    rows: number,
  ): Promise<Told> {
    const [hi, state, most] = await this.#space.call<(string | null)[]>(
      ADVANCE,
      [this.#space.shard(run, shard), this.#space.run(run)],
      [epoch, JSON.stringify(cursor), JSON.stringify(to), rows, size.rows, LEASE, ...commandsOf(tx)],
    )
    return told(run, shard, hi === undefined ? undefined : row(hi, state, most))
  }

  async look({ run, shard, epoch }: Claim): Promise<Told> {
    const [fields, about] = await Promise.all([
      this.#space.redis.hgetall(this.#space.shard(run, shard)),
      this.#space.redis.hmget(this.#space.run(run), 'state', 'batch_max'),
    ])
    const isOurs = fields['epoch'] === String(epoch) && fields['state'] === 'open'
    return told(run, shard, isOurs ? row(fields['hi'] ?? null, ...about) : undefined)
  }

  async isWhole(): Promise<boolean> {
    return true
  }

  // Rows are counted when they are done here: there is nothing to correct.
  async correct(): Promise<void> {}

  async release({ run, shard, epoch, size }: Claim, ms: number): Promise<void> {
    const args = [epoch, size.rows, size.seenRows, size.seenMs, Math.round(ms)]
    await this.#space.call(RELEASE, [this.#space.shard(run, shard)], args)
  }

  async finish({ run, shard, epoch, cursor, until }: Claim, ms: number): Promise<boolean> {
    const args = [epoch, JSON.stringify(until), Math.round(ms), JSON.stringify(cursor)]
    return (await this.#space.call<number>(FINISH, [this.#space.shard(run, shard)], args)) === 1
  }

  async halve(
    run: string,
    shard: number,
    middle: (left: Range) => Promise<Cursor | undefined>,
  ): Promise<number | undefined> {
    const space = this.#space
    const { state, cursor = 'null', hi = 'null' } = await space.redis.hgetall(space.shard(run, shard))
    if (state !== 'open') return undefined
    const cut = await middle({
      after: JSON.parse(cursor) as Cursor | null,
      until: JSON.parse(hi) as Cursor | null,
    })
    if (cut === undefined) return undefined
    const made = await space.redis.scard(space.shards(run))
    const keys = [space.shard(run, shard), space.shards(run), space.shard(run, made)]
    const isMade = await space.call<number>(HALVE, keys, [cursor, hi, JSON.stringify(cut), made])
    return isMade === 1 ? made : undefined
  }

  async list(run: string): Promise<ShardStatus[]> {
    const { redis, shards, shard } = this.#space
    const numbers = (await redis.smembers(shards(run))).map(Number).toSorted((a, b) => a - b)
    const [seconds, micros] = await redis.time()
    const now = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
    const rows = await Promise.all(numbers.map(number => redis.hgetall(shard(run, number))))
    return rows.map(fields => {
      const isHeld = fields['owner'] !== undefined && Number(fields['lease_until']) > now
      return statusOf({ ...fields, held: isHeld ? 1 : 0 })
    })
  }

  async orphans(): Promise<{ run: string; name: string; queue: string; shard: number }[]> {
    const ids = await this.#space.redis.zrange(this.#space.runs, '0', '-1')
    const orphans = await Promise.all(
      ids.map(async id => {
        const [state, name = '', queue = ''] = await this.#space.redis.hmget(
          this.#space.run(id),
          'state',
          'name',
          'queue',
        )
        if (state !== 'running') return []
        const open = (await this.list(id)).filter(shard => shard.open && !shard.held)
        return open.map(({ shard }) => ({ run: id, name: name ?? '', queue: queue ?? '', shard }))
      }),
    )
    return orphans.flat()
  }
}

const row = (hi: string | null, state: string | null = null, most: string | null = null) => ({
  hi,
  run_state: state,
  batch_max: most,
})

/** What HGETALL answers a script with: names and values in turn. */
function record(fields: readonly string[]): Fields {
  return Object.fromEntries(
    Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]]),
  ) as Fields
}

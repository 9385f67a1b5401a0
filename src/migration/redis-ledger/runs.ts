/** Runs of a ledger in Redis: what RunLedger does, with scripts for its transactions. */
import { RunnerError } from '../../errors.ts'
import {
  columnsOf,
  isOver,
  runOf,
  type MigrationRun,
  type NewRun,
  type RunSettings,
  type RunState,
} from '../ledger-run.ts'
import { activeOf, newRunId } from '../run-identity.ts'
import type { Enrolment, Runs } from '../run-ledger.ts'
import { FIRST_BATCH } from '../run-ledger.ts'
import type { Range } from '../source.ts'
import { UNTOUCHED, type Space } from './space.ts'

/** active, run, runs -> id of the run that is active already, or nothing */
const ENROL = `
local taken = redis.call('GET', KEYS[1])
if taken then return taken end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('HSET', KEYS[2], 'id', ARGV[1], 'created_at', now, unpack(ARGV, 2))
return false`

/** run, active -> 1 when it was in one of the states. to, error, is over, from... */
const MOVE = `
local state = redis.call('HGET', KEYS[1], 'state')
for i = 4, #ARGV do
  if ARGV[i] == state then
    redis.call('HSET', KEYS[1], 'state', ARGV[1])
    redis.call('HDEL', KEYS[1], 'error', 'finished_at')
    if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[2]) end
    if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'finished_at', now) end
    if ARGV[1] == 'succeeded' then redis.call('DEL', KEYS[2]) end
    return 1
  end
end
return 0`

/** run, shards, failures. state, checksum */
const RESUME = `
if redis.call('HGET', KEYS[1], 'state') ~= ARGV[1] then return end
local planned = redis.call('EXISTS', KEYS[2]) == 1
redis.call('HSET', KEYS[1], 'state', planned and 'running' or 'planning', 'checksum', ARGV[2],
  'tolerated', redis.call('HLEN', KEYS[3]))
redis.call('HDEL', KEYS[1], 'error', 'finished_at', 'held')
if redis.call('HEXISTS', KEYS[1], 'announced') == 1 then redis.call('HSET', KEYS[1], 'announced', 0) end`

/** run, shards, shard 0, shard 1 ... estimate, first batch, lo and hi of each */
const PLAN = `
if redis.call('HGET', KEYS[1], 'state') ~= 'planning' then return end
redis.call('HSET', KEYS[1], 'state', 'running', 'started_at', now, 'shards', #KEYS - 2)
redis.call('HDEL', KEYS[1], 'held')
if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], 'estimate', ARGV[1]) end
for i = 3, #KEYS do
  local lo, hi = ARGV[2 * i - 3], ARGV[2 * i - 2]
  redis.call('SADD', KEYS[2], i - 3)
  redis.call('HSET', KEYS[i], 'shard', i - 3, 'lo', lo, 'hi', hi, 'cursor', lo,
    'batch_size', ARGV[2], 'seen_rows', 0, 'seen_ms', 0, ${UNTOUCHED})
end`

/** run, shard keys ... -> 1 for one of those that ask: none is open */
const VERIFY = `
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
for i = 2, #KEYS do if redis.call('HGET', KEYS[i], 'state') == 'open' then return 0 end end
redis.call('HSET', KEYS[1], 'state', 'verifying')
return 1`

/** run -> 1 for one of those that ask within ARGV[1] milliseconds */
const LOOK = `
local at = tonumber(redis.call('HGET', KEYS[1], 'looked_at') or 0)
if at > now - ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'looked_at', now)
return 1`

/** run -> 1. field, from, to */
const SWAP = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1`

/** run. when it was over */
const ANNOUNCED = `
if redis.call('HGET', KEYS[1], 'finished_at') == ARGV[1] then redis.call('HSET', KEYS[1], 'announced', 1) end`

export class RedisRuns implements Runs {
  readonly #space: Space

  constructor(space: Space) {
    this.#space = space
  }

  async enrol(spec: NewRun): Promise<{ run: MigrationRun; enrolment: Enrolment }> {
    const space = this.#space
    const active = activeOf(spec)
    const known = await space.redis.get(space.active(active))
    if (known === null && !spec.again) {
      const done = (await this.list(spec.name)).find(
        ({ args, state }) => args === spec.args && state === 'succeeded',
      )
      if (done !== undefined) return { run: done, enrolment: 'succeeded' }
    }
    const id = newRunId(spec.name)
    const { name, args, checksum, queue, shards, gitSha, requestedBy, reason } = spec
    const fields = {
      name,
      args,
      checksum,
      queue,
      shards,
      state: 'planning',
      dry_run: 0,
      tolerated: 0,
      git_sha: gitSha,
      requested_by: requestedBy,
      reason,
    }
    const taken = await space.call<string | null>(
      ENROL,
      [space.active(active), space.run(id), space.runs],
      [id, ...pairsOf(fields)],
    )
    if (taken === null) return { run: await this.get(id), enrolment: 'new' }
    const run = await this.get(taken)
    if (run.state !== 'failed' && run.state !== 'cancelled') return { run, enrolment: 'running' }
    await space.call(
      RESUME,
      [space.run(run.id), space.shards(run.id), space.failures(run.id)],
      [run.state, checksum],
    )
    return { run: await this.get(run.id), enrolment: 'resumed' }
  }

  async get(id: string): Promise<MigrationRun> {
    const row = await this.#space.redis.hgetall(this.#space.run(id))
    if (row['id'] === undefined) throw new RunnerError('MIGRATION_UNKNOWN', `there is no run ${id}`)
    return runOf(row)
  }

  async list(name?: string): Promise<MigrationRun[]> {
    const ids = await this.#space.redis.zrange(this.#space.runs, '0', '-1', 'REV')
    const runs = await Promise.all(ids.map(id => this.get(id)))
    return name === undefined ? runs : runs.filter(run => run.name === name)
  }

  async unfinished(): Promise<MigrationRun[]> {
    return (await this.list()).filter(({ state }) => ['planning', 'running', 'verifying'].includes(state))
  }

  async move(
    id: string,
    from: readonly RunState[],
    to: RunState,
    error: string | null = null,
  ): Promise<boolean> {
    const space = this.#space
    const active = activeOf(await this.get(id))
    const keys = [space.run(id), space.active(active)]
    return (await space.call<number>(MOVE, keys, [to, error ?? '', isOver(to) ? 1 : 0, ...from])) === 1
  }

  async hasSucceeded(name: string): Promise<boolean> {
    return (await this.list(name)).some(({ state }) => state === 'succeeded')
  }

  async set(id: string, to: RunSettings): Promise<void> {
    for (const [column, value] of columnsOf(to)) await this.#put(id, column, value)
  }

  async takeLook(id: string, every: number): Promise<boolean> {
    return (await this.#space.call<number>(LOOK, [this.#space.run(id)], [every])) === 1
  }

  hold(id: string, reason: string | null): Promise<void> {
    return this.#put(id, 'held', reason)
  }

  willAnnounce(id: string): Promise<void> {
    return this.#put(id, 'announced', 0)
  }

  async announced({ id, finishedAt }: MigrationRun): Promise<void> {
    await this.#space.call(ANNOUNCED, [this.#space.run(id)], [finishedAt ?? ''])
  }

  async toAnnounce(): Promise<MigrationRun[]> {
    return (await this.list()).filter(
      ({ announced, state }) => announced === false && (state === 'succeeded' || state === 'failed'),
    )
  }

  async adopt({ id, checksum: before }: MigrationRun, checksum: string): Promise<boolean> {
    return (await this.#space.call<number>(SWAP, [this.#space.run(id)], ['checksum', before, checksum])) === 1
  }

  async note(id: string, who: string, what: string): Promise<void> {
    await this.#space.redis.rpush(this.#space.events(id), JSON.stringify({ at: Date.now(), who, what }))
  }

  async notes(id: string): Promise<{ at: number; who: string; what: string }[]> {
    const notes = await this.#space.redis.lrange(this.#space.events(id), 0, -1)
    return notes.map(note => JSON.parse(note) as { at: number; who: string; what: string })
  }

  async plan(id: string, ranges: readonly Range[], estimate: number | undefined): Promise<void> {
    const space = this.#space
    const ends = ranges.flatMap(({ after, until }) => [JSON.stringify(after), JSON.stringify(until)])
    const keys = [space.run(id), space.shards(id), ...ranges.map((_, shard) => space.shard(id, shard))]
    await space.call(PLAN, keys, [estimate ?? '', FIRST_BATCH, ...ends])
  }

  async beginVerifying(id: string): Promise<boolean> {
    const space = this.#space
    const shards = await space.redis.smembers(space.shards(id))
    const keys = [space.run(id), ...shards.map(shard => space.shard(id, Number(shard)))]
    return (await space.call<number>(VERIFY, keys, [])) === 1
  }

  async #put(id: string, field: string, value: string | number | null): Promise<void> {
    const key = this.#space.run(id)
    if (value === null) await this.#space.redis.hdel(key, field)
    else await this.#space.redis.hset(key, field, value)
  }
}

function pairsOf(fields: Record<string, string | number | undefined>): (string | number)[] {
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
}

/**
 * What is written to a job on behalf of one run of it. BullMQ checks who holds the lock when a job is finished, retried
 * or delayed, but not when its progress, data, log or fields are written: a replica that woke from a freeze overwrote
 * what the next run had written. Here every write looks first, in one script with the write:
 *
 * - The fence (`ats`, which BullMQ raises in Redis at every start) has to be that of the run: nobody has started it since.
 * - The lock has to be the run's own, or nobody's: one that ran out is not yet a newer run. The token alone would not do,
 *   for BullMQ uses it again for the next job of the same slot.
 */
import type { Cluster, Redis } from 'ioredis'
import { SupersededError } from '../errors.ts'

/** One run of one job, as Redis knows it. */
export interface Hold {
  /** Job id. */
  id: string
  /** The job's hash; its lock and its logs are named after it. */
  key: string
  /** What the keys of its queue begin with. */
  base: string
  token: string
  /** `attemptsStarted` of the job when this run began. */
  fence: number
}

const GUARD = `
  local ats = redis.call('HGET', KEYS[1], 'ats')
  if not ats then return -1 end
  local held = redis.call('GET', KEYS[2])
  if ats ~= ARGV[2] or (held and held ~= ARGV[1]) then return -2 end`

/** As updateProgress of BullMQ, with its event. */
const PROGRESS = `${GUARD}
  local most = redis.call('HGET', KEYS[4], 'opts.maxLenEvents')
  if not most then
    most = 10000
    redis.call('HSET', KEYS[4], 'opts.maxLenEvents', most)
  end
  redis.call('HSET', KEYS[1], 'progress', ARGV[4])
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', most, '*', 'event', 'progress', 'jobId', ARGV[3], 'data', ARGV[4])
  return 0`

/** As addLog of BullMQ. */
const LOG = `${GUARD}
  local rows = redis.call('RPUSH', KEYS[3], ARGV[3])
  if ARGV[4] == '' then return rows end
  redis.call('LTRIM', KEYS[3], -tonumber(ARGV[4]), -1)
  return math.min(tonumber(ARGV[4]), rows)`

const FIELD = `${GUARD}
  redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
  return 0`

/**
 * Takes a lock that ran out back, if nobody has started the job since: from \`active\`, or from where the stall sweep
 * (and a change of priority after it) put it. What the sweep counted against the job is taken back with it.
 */
const RECLAIM = `${GUARD}
  local id = ARGV[3]
  if not redis.call('LPOS', KEYS[3], id) then
    local found = redis.call('LREM', KEYS[5], -1, id) + redis.call('LREM', KEYS[6], -1, id)
    if found + redis.call('ZREM', KEYS[7], id) == 0 then return 1 end
    redis.call('LPUSH', KEYS[3], id)
    if tonumber(redis.call('HGET', KEYS[1], 'stc') or '0') > 0 then redis.call('HINCRBY', KEYS[1], 'stc', -1) end
    if redis.call('HGET', KEYS[1], 'defa') == 'job stalled more than allowable limit' then
      redis.call('HDEL', KEYS[1], 'defa')
    end
    redis.call('XADD', KEYS[8], '*', 'event', 'active', 'jobId', id, 'prev', 'waiting')
  end
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
  redis.call('SREM', KEYS[4], id)
  return 0`

type Script = (...args: (string | number)[]) => Promise<number>

interface Scripts {
  runnerProgress: Script
  runnerLog: Script
  runnerField: Script
  runnerReclaim: Script
}

/** Everything that writes rejects with SupersededError when the run has no right to write any more. */
export class Fence {
  readonly #client: Redis | Cluster
  readonly #scripts: Scripts

  constructor(client: Redis | Cluster) {
    this.#client = client
    client.defineCommand('runnerProgress', { numberOfKeys: 4, lua: PROGRESS })
    client.defineCommand('runnerLog', { numberOfKeys: 3, lua: LOG })
    client.defineCommand('runnerField', { numberOfKeys: 2, lua: FIELD })
    client.defineCommand('runnerReclaim', { numberOfKeys: 8, lua: RECLAIM })
    this.#scripts = client as unknown as Scripts
  }

  async progress(hold: Hold, json: string): Promise<void> {
    const { id, key, base, token, fence } = hold
    const keys = [key, `${key}:lock`, `${base}events`, `${base}meta`]
    allowed(hold, await this.#scripts.runnerProgress(...keys, token, fence, id, json))
  }

  /** `keepLogs`: so many rows are kept; undefined: all. Returns how many there are. */
  async log(hold: Hold, row: string, keepLogs?: number): Promise<number> {
    const { key, token, fence } = hold
    const keys = [key, `${key}:lock`, `${key}:logs`]
    return allowed(hold, await this.#scripts.runnerLog(...keys, token, fence, row, keepLogs ?? ''))
  }

  /** A field of the job's hash, which goes when the job goes. */
  async setField(hold: Hold, field: string, value: string): Promise<void> {
    const { key, token, fence } = hold
    allowed(hold, await this.#scripts.runnerField(key, `${key}:lock`, token, fence, field, value))
  }

  /** Not fenced: to read does no harm. */
  getField({ key }: Pick<Hold, 'key'>, field: string): Promise<string | null> {
    return this.#client.hget(key, field)
  }

  /** The lock is the run's again for `ms`. False: nobody has started the job since, but it was moved elsewhere. */
  async reclaim(hold: Hold, ms: number): Promise<boolean> {
    const { id, key, base, token, fence } = hold
    const lists = ['active', 'stalled', 'wait', 'paused', 'prioritized', 'events'].map(name => base + name)
    const reply = await this.#scripts.runnerReclaim(key, `${key}:lock`, ...lists, token, fence, id, ms)
    return allowed(hold, reply) === 0
  }
}

function allowed({ id }: Hold, reply: number): number {
  if (reply >= 0) return reply
  throw new SupersededError(
    reply === -1 ? `job ${id} was removed while it ran` : `job ${id} was started again: a newer run has it`,
  )
}

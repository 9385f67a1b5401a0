/**
 * One look at one queue, for whoever decides how many replicas it needs or shows how it stands: a single script, so all
 * figures are of one moment, by the server's clock. It writes nothing, runs where a user may only read
 * (`+eval_ro %R~bull:*`), and its cost does not grow with the number of jobs.
 *
 * Its text is sent each time: two kilobytes every few seconds, and no server has to remember it.
 */
import { messageOf } from '../errors.ts'
import type { Client } from './client.ts'

/** Times in milliseconds. */
export interface QueueSignal {
  queue: string
  /** No worker may take a job of it. */
  paused: boolean
  /** In the list that is taken from first. Of a paused queue of BullMQ 5, those that it put aside. */
  waiting: number
  prioritized: number
  active: number
  /** All that have a delay, also one that is over: BullMQ moves them only when a worker asks for a job. */
  delayed: number
  /** Those of them whose delay ends within the lead, or is over. */
  dueDelayed: number
  /** Of these, the ones that a worker which starts now finds due. */
  dueNow: number
  /** A job of it is active and has no lock: its worker is gone, and a live one is needed to find it. */
  isOrphaned: boolean
  waitingChildren: number
  failed: number
  completed: number
  /** Until the next delay ends; negative: since it is over. null: nothing is delayed. */
  nextDue: number | null
  /**
   * Since the job that has been able to run for longest could; null: none waits, or of none is it known. At least so
   * long it is for jobs in the middle of a list; for one that is retried, it counts from its last start. A parent of a
   * flow that was never run is left out: nothing says when its last child was done.
   */
  oldestAge: number | null
  /** Jobs at once in all workers together; null: no limit. */
  globalConcurrency: number | null
  /** Jobs that all workers together may start in so many milliseconds; null: no limit. */
  rateLimit: { max: number; duration: number } | null
}

/** The lead of `dueNow`, in milliseconds: less than it takes to start a process. */
const NOW = 2_000

/** KEYS: see `KEYS`. ARGV: what the keys of the queue begin with, the lead and that of what is due now in milliseconds. */
const SIGNAL = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return false end
  local base, lead, nearly = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
  local meta = redis.call('HMGET', KEYS[1], 'paused', 'concurrency', 'max', 'duration')
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local since = now
  local isKnown = 0

  local function see(id)
    local key = base .. id
    local job = redis.call('HMGET', key, 'timestamp', 'processedOn', 'opts')
    if not job[1] then return end
    local ready = tonumber(job[1])
    local isRead, opts = pcall(cjson.decode, job[3] or '{}')
    if isRead and type(opts) == 'table' and tonumber(opts.delay) then ready = ready + tonumber(opts.delay) end
    if job[2] then
      ready = math.max(ready, tonumber(job[2]))
    elseif redis.call('EXISTS', key .. ':processed', key .. ':failed', key .. ':unsuccessful', key .. ':dependencies') > 0 then
      return
    end
    isKnown = 1
    since = math.min(since, ready)
  end

  -- Both ends: what is retried, or last in first out, goes in where jobs are taken from.
  for _, list in ipairs({KEYS[2], KEYS[3]}) do
    for _, id in ipairs(redis.call('LRANGE', list, 0, 2)) do see(id) end
    for _, id in ipairs(redis.call('LRANGE', list, -3, -1)) do see(id) end
  end

  -- The first of each priority: scores are priority * 2^32 + a counter, so the next one is a jump away.
  local band = 0x100000000
  local function seeFirstFrom(score)
    local found = redis.call('ZRANGEBYSCORE', KEYS[5], string.format('%.0f', score), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if not found[1] then return end
    see(found[1])
    return math.floor(tonumber(found[2]) / band)
  end
  local last = redis.call('ZRANGE', KEYS[5], -1, -1, 'WITHSCORES')
  if last[1] then
    local lowest = math.floor(tonumber(last[2]) / band)
    local at = -1
    for _ = 1, 32 do
      at = seeFirstFrom((at + 1) * band)
      if not at or at >= lowest then break end
    end
    -- The lowest priority waits longest, however many there are above it.
    if at and at < lowest then seeFirstFrom(lowest * band) end
  end

  local due = false
  local first = redis.call('ZRANGE', KEYS[6], 0, 0, 'WITHSCORES')
  if first[1] then
    local at = math.floor(tonumber(first[2]) / 0x1000)
    due = at - now
    if due <= 0 then
      isKnown = 1
      since = math.min(since, at)
    end
  end

  -- Taken first are those at this end. With so many that run there are live workers, which look for themselves.
  local isOrphaned = 0
  for _, id in ipairs(redis.call('LRANGE', KEYS[4], -100, -1)) do
    if redis.call('EXISTS', base .. id .. ':lock') == 0 then
      isOrphaned = 1
      break
    end
  end

  local function countDue(within)
    return redis.call('ZCOUNT', KEYS[6], '-inf', string.format('%.0f', (now + within + 1) * 0x1000 - 1))
  end

  return {
    meta[1], meta[2], meta[3], meta[4],
    redis.call('LLEN', KEYS[2]) + redis.call('LLEN', KEYS[3]),
    redis.call('ZCARD', KEYS[5]),
    redis.call('LLEN', KEYS[4]),
    redis.call('ZCARD', KEYS[6]),
    countDue(lead),
    countDue(nearly),
    isOrphaned,
    redis.call('ZCARD', KEYS[7]),
    redis.call('ZCARD', KEYS[8]),
    redis.call('ZCARD', KEYS[9]),
    due,
    isKnown == 1 and now - since
  }`

const KEYS = [
  'meta',
  'wait',
  'paused',
  'active',
  'prioritized',
  'delayed',
  'waiting-children',
  'failed',
  'completed',
]

type Settings = [paused: string | null, concurrency: string | null, max: string | null, per: string | null]
type Counts = [number, number, number, number, number, number, number, number, number, number]
type Answer = [...Settings, ...Counts, nextDue: number | null, oldestAge: number | null]

/**
 * `lead`: how long before its delay ends a job is counted as due, in milliseconds. undefined: there is no such queue.
 * On a Cluster the prefix needs a hash tag.
 */
export async function readQueueSignal(
  client: Client,
  prefix: string,
  queue: string,
  lead: number,
): Promise<QueueSignal | undefined> {
  const base = `${prefix}:${queue}:`
  const answer = (await readOnly(client, SIGNAL, [
    KEYS.length,
    ...KEYS.map(name => base + name),
    base,
    lead,
    NOW,
  ])) as Answer | null
  if (answer === null) return undefined
  const [paused, concurrency, max, duration, ...figures] = answer
  const [waiting, prioritized, active, delayed, dueDelayed, dueNow, orphaned, ...rest] = figures
  const [waitingChildren, failed, completed, nextDue, oldestAge] = rest
  return {
    queue,
    paused: paused !== null,
    waiting,
    prioritized,
    active,
    delayed,
    dueDelayed,
    dueNow,
    isOrphaned: orphaned === 1,
    waitingChildren,
    failed,
    completed,
    nextDue,
    oldestAge,
    globalConcurrency: concurrency === null ? null : Number(concurrency),
    rateLimit: max === null || duration === null ? null : { max: Number(max), duration: Number(duration) },
  }
}

/** Clients whose server has no EVAL_RO (before Redis 7), or does not let this user have it. */
const withoutReadOnly = new WeakSet<Client>()

async function readOnly(client: Client, lua: string, args: (string | number)[]): Promise<unknown> {
  if (!withoutReadOnly.has(client)) {
    try {
      return await client.call('EVAL_RO', lua, ...args)
    } catch (error) {
      if (!isRefused(messageOf(error))) throw error
      withoutReadOnly.add(client)
    }
  }
  return client.call('EVAL', lua, ...args)
}

/** The command itself is: not one that the script calls, nor a key. */
const isRefused = (message: string): boolean =>
  /unknown command/i.test(message) || /NOPERM.*'eval_ro'/i.test(message)

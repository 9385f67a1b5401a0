/**
 * The ids of one state of a queue, a page at a time, filtered where they lie: a million jobs are looked through without
 * one of them crossing the network, and no page holds Redis up for more than some milliseconds.
 *
 * A page of a sorted set begins after the last id of the page before, wherever that stands by then, so jobs that come
 * and go meanwhile make no gap. When that id is gone, or has come back with another score, the page begins at the score
 * that it had: an id may be seen twice.
 */
import type { Cluster, Redis } from 'ioredis'

const MATCHES = `
  local base, name, since = ARGV[1], ARGV[2], tonumber(ARGV[3])
  local function matches(id)
    if name == '' and since == 0 then return true end
    local found = redis.call('HMGET', base .. id, 'name', 'timestamp')
    if name ~= '' and found[1] ~= name then return false end
    return since == 0 or tonumber(found[2] or '0') >= since
  end`

/** KEYS: set. ARGV: base, name, since, oldest first, size, least and most score, anchor, its score. Result: scanned, anchor, its score, ids. */
const SORTED = `${MATCHES}
  local key, up, size, least, most = KEYS[1], ARGV[4] == '1', tonumber(ARGV[5]), ARGV[6], ARGV[7]
  local anchor, at = ARGV[8], ARGV[9]
  local from
  if anchor ~= '' and redis.call('ZSCORE', key, anchor) == at then from = redis.call(up and 'ZRANK' or 'ZREVRANK', key, anchor) end
  if from then
    from = from + 1
  elseif up then
    from = redis.call('ZCOUNT', key, '-inf', '(' .. (anchor ~= '' and at or least))
  else
    from = redis.call('ZCOUNT', key, '(' .. (anchor ~= '' and at or most), '+inf')
  end
  local page = redis.call(up and 'ZRANGE' or 'ZREVRANGE', key, from, from + size - 1, 'WITHSCORES')
  local result = { 0, anchor, at }
  for i = 1, #page, 2 do
    local score = tonumber(page[i + 1])
    if up and most ~= '+inf' and score > tonumber(most) then break end
    if not up and least ~= '-inf' and score < tonumber(least) then break end
    result[1], result[2], result[3] = result[1] + 1, page[i], page[i + 1]
    if matches(page[i]) then result[#result + 1] = page[i] end
  end
  return result`

/** KEYS: list. ARGV: base, name, since, from, size. Result: scanned, ids. */
const LISTED = `${MATCHES}
  local from, size = tonumber(ARGV[4]), tonumber(ARGV[5])
  local page = redis.call('LRANGE', KEYS[1], from, from + size - 1)
  local result = { #page }
  for i = 1, #page do
    if matches(page[i]) then result[#result + 1] = page[i] end
  end
  return result`

export interface JobFilter {
  /** Exactly this job name. */
  name?: string
  /** Milliseconds since the epoch: of finished jobs their end, of others when they were added. */
  since?: number
}

export interface Page {
  ids: string[]
  /** How many were looked at. */
  scanned: number
}

interface Scripts {
  runnerSortedPage(...args: (string | number)[]): Promise<[number, string, string, ...string[]]>
  runnerListedPage(...args: (string | number)[]): Promise<[number, ...string[]]>
}

export class JobPages {
  readonly #client: Redis | Cluster
  readonly #scripts: Scripts
  readonly #base: string

  /** `base`: what the keys of the queue begin with, `bull:mail:`. */
  constructor(client: Redis | Cluster, base: string) {
    if (!('runnerSortedPage' in client)) {
      client.defineCommand('runnerSortedPage', { numberOfKeys: 1, lua: SORTED })
      client.defineCommand('runnerListedPage', { numberOfKeys: 1, lua: LISTED })
    }
    this.#client = client
    this.#scripts = client as unknown as Scripts
    this.#base = base
  }

  count(key: string, sorted: boolean): Promise<number> {
    return sorted ? this.#client.zcard(this.#base + key) : this.#client.llen(this.#base + key)
  }

  /**
   * Of a sorted set. `scored`: its scores are times in milliseconds, so that `since` and `until` are looked up; else
   * `since` is read from each job.
   */
  async *sorted(
    key: string,
    filter: JobFilter,
    {
      oldestFirst,
      scored,
      until,
      size,
    }: { oldestFirst: boolean; scored: boolean; until?: number; size: number },
  ): AsyncGenerator<Page> {
    const { name = '', since = 0 } = filter
    let [anchor, at] = ['', '0']
    let seen = new Set<string>()
    for (;;) {
      const [scanned, last, score, ...ids] = await this.#scripts.runnerSortedPage(
        this.#base + key,
        this.#base,
        name,
        scored ? 0 : since,
        oldestFirst ? 1 : 0,
        size,
        scored && since > 0 ? since : '-inf',
        scored && until !== undefined ? until : '+inf',
        anchor,
        at,
      )
      if (scanned === 0) return
      yield { ids: ids.filter(id => !seen.has(id)), scanned }
      if (scanned < size) return
      seen = new Set(ids)
      anchor = last
      at = score
    }
  }

  /** Of a list, newest first. What is taken out by the caller is told by `taken`, so that no other is passed over. */
  async *listed(key: string, filter: JobFilter, size: number, taken: () => number): AsyncGenerator<Page> {
    const { name = '', since = 0 } = filter
    let seen = new Set<string>()
    for (let passed = 0; ;) {
      const from = Math.max(0, passed - taken())
      const [scanned, ...ids] = await this.#scripts.runnerListedPage(
        this.#base + key,
        this.#base,
        name,
        since,
        from,
        size,
      )
      if (scanned === 0) return
      // New jobs push the others back: some of the last page come again.
      yield { ids: ids.filter(id => !seen.has(id)), scanned }
      // The end was seen: what is added meanwhile lies in front.
      if (scanned < size) return
      seen = new Set(ids)
      passed += scanned
    }
  }
}

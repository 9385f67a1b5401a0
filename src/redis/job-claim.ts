/**
 * Takes a job out of the state where it was found, so that it can be removed and nobody can retry, promote or run it
 * meanwhile; BullMQ's own removal asks only whether it is locked. What then cannot be removed goes back.
 */
import type { Cluster, Redis } from 'ioredis'

/** KEYS: job, its lock, where it lies. ARGV: id, 'sorted' or 'list', what the keys of schedulers begin with. */
const CLAIM = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return 'gone' end
  if redis.call('EXISTS', KEYS[2]) == 1 then return 'locked' end
  local scheduler = redis.call('HGET', KEYS[1], 'rjk')
  local ended = redis.call('HEXISTS', KEYS[1], 'finishedOn') == 1
  if scheduler and not ended and redis.call('EXISTS', ARGV[3] .. scheduler) == 1 then return 'scheduled' end
  if ARGV[2] == 'sorted' then
    local score = redis.call('ZSCORE', KEYS[3], ARGV[1])
    if not score then return 'gone' end
    redis.call('ZREM', KEYS[3], ARGV[1])
    return 'claimed:' .. score
  end
  if redis.call('LREM', KEYS[3], 1, ARGV[1]) == 0 then return 'gone' end
  return 'claimed:'`

export type Claim = 'gone' | 'locked' | 'scheduled' | { score: string }

interface Place {
  /** What the keys of the queue begin with. */
  base: string
  key: string
  kind: 'sorted' | 'list'
}

interface Scripts {
  runnerClaim(...args: string[]): Promise<string>
}

/** 'scheduled': it is the next one of a scheduler. `score`: of a sorted state. */
export async function claimJob(
  client: Redis | Cluster,
  id: string,
  { base, key, kind }: Place,
): Promise<Claim> {
  if (!('runnerClaim' in client)) client.defineCommand('runnerClaim', { numberOfKeys: 3, lua: CLAIM })
  const job = base + id
  const answer = await (client as unknown as Scripts).runnerClaim(
    job,
    `${job}:lock`,
    base + key,
    id,
    kind,
    `${base}repeat:`,
  )
  return answer.startsWith('claimed:')
    ? { score: answer.slice('claimed:'.length) }
    : (answer as Exclude<Claim, object>)
}

export async function giveBack(
  client: Redis | Cluster,
  id: string,
  { base, key, kind }: Place,
  { score }: { score: string },
): Promise<void> {
  if (kind === 'sorted') await client.zadd(base + key, score, id)
  else await client.rpush(base + key, id)
}

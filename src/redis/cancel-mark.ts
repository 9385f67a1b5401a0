/**
 * Marks a job that does not run to fail when it is taken, by the field that BullMQ itself has for that (`defa`): the
 * worker that takes it, whichever it is, fails it without its handler, and its parent hears of it as of any failure.
 */
import type { Cluster, Redis } from 'ioredis'

/** KEYS: job, its lock, the delayed ones. ARGV: reason, id, '1' for a lock that is nobody's. */
const MARK = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return 'gone' end
  if ARGV[3] ~= '1' and redis.call('EXISTS', KEYS[2]) == 1 then return 'active' end
  if redis.call('HEXISTS', KEYS[1], 'finishedOn') == 1 then return 'finished' end
  redis.call('HSET', KEYS[1], 'defa', ARGV[1])
  return redis.call('ZSCORE', KEYS[3], ARGV[2]) and 'delayed' or 'marked'`

interface Scripts {
  runnerCancelMark(...args: string[]): Promise<Mark>
}

/** 'marked' and 'delayed': it is, and where it lies. */
export type Mark = 'gone' | 'active' | 'finished' | 'marked' | 'delayed'

/** `base`: what the keys of the queue begin with. `unlocked`: it is known not to run, whatever lock was left behind. */
export function markCancelled(
  client: Redis | Cluster,
  base: string,
  id: string,
  reason: string,
  unlocked: boolean,
): Promise<Mark> {
  if (!('runnerCancelMark' in client))
    client.defineCommand('runnerCancelMark', { numberOfKeys: 3, lua: MARK })
  const keys = [base + id, `${base}${id}:lock`, `${base}delayed`]
  return (client as unknown as Scripts).runnerCancelMark(...keys, reason, id, unlocked ? '1' : '0')
}

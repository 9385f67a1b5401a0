/**
 * Marks a job that does not run to fail when it is taken, by the field that BullMQ itself has for that (`defa`): the
 * worker that takes it, whichever it is, fails it without its handler, and its parent hears of it as of any failure.
 */
import type { Cluster, Redis } from 'ioredis'

/** KEYS: job, its lock. ARGV: reason. */
const MARK = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return 'gone' end
  if redis.call('EXISTS', KEYS[2]) == 1 then return 'active' end
  if redis.call('HEXISTS', KEYS[1], 'finishedOn') == 1 then return 'finished' end
  redis.call('HSET', KEYS[1], 'defa', ARGV[1])
  return 'marked'`

interface Scripts {
  runnerCancelMark(
    job: string,
    lock: string,
    reason: string,
  ): Promise<'gone' | 'active' | 'finished' | 'marked'>
}

/** `key` is the job's hash. */
export function markCancelled(
  client: Redis | Cluster,
  key: string,
  reason: string,
): ReturnType<Scripts['runnerCancelMark']> {
  if (!('runnerCancelMark' in client))
    client.defineCommand('runnerCancelMark', { numberOfKeys: 2, lua: MARK })
  return (client as unknown as Scripts).runnerCancelMark(key, `${key}:lock`, reason)
}

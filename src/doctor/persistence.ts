/** What is left of the jobs when Redis, or its host, goes down. */
import type { Info } from '../redis/server-info.ts'
import { formatMilliseconds } from '../units.ts'
import { bad, ok, type Judgement } from './finding.ts'

/** What CONFIG GET said; undefined: it may not be asked. */
export interface PersistenceSettings {
  save: string | undefined
  appendfsync: string | undefined
  /** stop-writes-on-bgsave-error */
  stopWrites: string | undefined
}

const EXPECTED = 'an append-only file'
const ENABLE = 'redis-cli config set appendonly yes, and in redis.conf: appendonly yes'
/** All clients wait while Redis forks. Milliseconds. */
const LONGEST_FORK = 1_000

export function judgePersistence(info: Info, { save, appendfsync }: PersistenceSettings): Judgement {
  if (info.get('aof_enabled') === '1') {
    if (appendfsync !== 'no') return ok(EXPECTED, `appendonly yes, appendfsync ${appendfsync ?? 'unknown'}`)
    const told =
      'appendfsync no: a power cut loses what the system had not written yet, half a minute or more'
    const fix = 'redis-cli config set appendfsync everysec, and in redis.conf: appendfsync everysec'
    return bad('warning', `${EXPECTED}, written every second`, told, fix)
  }
  if (save === undefined)
    return bad(
      'unknown',
      EXPECTED,
      'appendonly no; snapshots: may not be asked',
      'ACL SETUSER <name> +config|get',
    )
  if (save === '')
    return bad('warning', EXPECTED, 'neither file nor snapshots: a restart of Redis loses all jobs', ENABLE)
  const told = `snapshots only (save ${save}): a crash loses what came since the last, and runs again what was done`
  return bad('warning', EXPECTED, told, ENABLE)
}

/** Redis refuses all writes after a failed one (MISCONF), unless it is told not to. */
export function judgeLastWrite(info: Info, { save, stopWrites }: PersistenceSettings): Judgement {
  const expected = 'the last write of its files went well'
  const failed = [
    ['rdb_last_bgsave_status', 'snapshot'],
    ['aof_last_write_status', 'append-only file'],
    ['aof_last_bgrewrite_status', 'rewrite of the append-only file'],
  ].filter(([field = '']) => info.get(field) === 'err')
  if (failed.length === 0) return ok(expected, 'ok')
  const refused =
    info.get('aof_last_write_status') === 'err' ||
    (info.get('rdb_last_bgsave_status') === 'err' && save !== '' && stopWrites !== 'no')
  const told = `failed: ${failed.map(([, what]) => what).join(', ')}`
  const fix =
    'see the log of Redis: a full disk, a folder it may not write, no memory to fork; then redis-cli bgsave'
  if (refused) return bad('error', expected, `${told}; Redis refuses writes (MISCONF), so no job moves`, fix)
  return bad('warning', expected, told, fix)
}

export function judgeFork(info: Info): Judgement {
  const took = Number(info.get('latest_fork_usec') ?? 0) / 1_000
  const expected = `at most ${formatMilliseconds(LONGEST_FORK)}`
  if (took <= LONGEST_FORK) return ok(expected, formatMilliseconds(took))
  const fix = 'switch transparent huge pages off on its host, or keep fewer finished jobs in it'
  return bad('warning', expected, `${formatMilliseconds(took)}: for so long Redis answered nobody`, fix)
}

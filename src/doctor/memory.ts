/** What becomes of jobs when the memory of Redis is full, and how far that is. */
import { evictionStake } from '../redis/checks.ts'
import type { Info } from '../redis/server-info.ts'
import { formatMebibytes } from '../units.ts'
import { bad, ok, type Judgement } from './finding.ts'
import { judgeShare } from './share.ts'

export function judgeEviction(info: Info): Judgement {
  const policy = info.get('maxmemory_policy')
  const stake = evictionStake(policy)
  if (stake === undefined) return ok('noeviction', policy ?? 'noeviction')
  const fix =
    'redis-cli config set maxmemory-policy noeviction, and in redis.conf: maxmemory-policy noeviction'
  return bad('error', 'noeviction', `${policy}: when the memory is full, ${stake}`, fix)
}

/** Without a limit of its own Redis has what the host has. */
export function judgeMemory(info: Info): Judgement {
  const used = Number(info.get('used_memory') ?? 0)
  const set = Number(info.get('maxmemory') ?? 0)
  const limit = set > 0 ? set : Number(info.get('total_system_memory') ?? 0)
  const consequence =
    set > 0 ? 'when it is full, no job can be added' : 'when it is full, the host ends Redis'
  const fix =
    'removeOnComplete and removeOnFail on jobs, which BullMQ keeps for ever, or more memory (maxmemory)'
  return judgeShare({ used, limit, consequence, fix, show: formatMebibytes })
}

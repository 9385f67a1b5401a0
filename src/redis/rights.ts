/**
 * What a user of Redis may do (ACL). A replica that lacks a right would fetch, be refused and fetch again for ever: so
 * it asks first. Each command is queued behind MULTI, where Redis checks it as it checks any, and none is carried out,
 * since the connection ends without EXEC.
 */
import type { Redis } from 'ioredis'
import { RunnerError, messageOf } from '../errors.ts'
import type { Client } from './client.ts'
import { primariesOf } from './server-info.ts'

const HINT = 'give it those of the worker in deploy/redis/users.acl, or connect as another user'

/** All that BullMQ's scripts and ours do for a replica, with as many arguments as they need; `k` is a key. */
const OF_REPLICA =
  `bzpopmin k 1|del k|eval s 1 k|evalsha s 1 k|exists k|get k|hdel k f|hexists k f|hget k f|hgetall k|hincrby k f 1|hkeys k|
hmget k f|hmset k f v|hset k f v|incr k|llen k|lpos k e|lpush k e|lrange k 0 1|lrem k 1 e|ltrim k 0 1|pexpire k 1|pexpireat k 1|pttl k|rpoplpush k k|
rpush k e|sadd k m|scard k|set k v|smembers k|srem k m|sscan k 0|hscan k 0|time|unlink k|watch k|xadd k * f v|xlen k|xread streams k 0|xtrim k maxlen 1|
zadd k 1 m|zcard k|zcount k 0 1|zpopmin k|zrange k 0 1|zrangebylex k - +|zrangebyscore k 0 1|zrem k m|zremrangebyrank k 0 1|
zremrangebyscore k 0 1|zrevrange k 0 1|zrevrangebyscore k 1 0|zscore k m`
    .replaceAll('\n', '')
    .split('|')
    .map(line => line.split(' '))

/**
 * Throws REDIS_FORBIDDEN: `client`'s user may not be a replica on `prefix`. The client must be connected, must not
 * reconnect (it would send the commands again, without MULTI), and is of no use afterwards.
 */
export async function requireReplicaRights(client: Client, prefix: string, location: string): Promise<void> {
  const key = `${prefix}:runner:rights`
  const lacking = await Promise.all(primariesOf(client).map(node => refusedBy(node, key)))
  const all = [...new Set(lacking.flat())]
  if (all.length === 0) return
  throw new RunnerError(
    'REDIS_FORBIDDEN',
    `this user of Redis at ${location} may not use ${all.join(', ')}`,
    {
      hint: HINT,
      details: { missing: all },
    },
  )
}

/** Commands, or the keys if it is those. */
async function refusedBy(node: Redis, key: string): Promise<string[]> {
  const commands = OF_REPLICA.map(line => line.map(word => (word === 'k' ? key : word)))
  const answers = await Promise.allSettled(
    [['multi'], ...commands].map(([name = '', ...args]) => node.call(name, ...args)),
  )
  const keys = `keys of ${key.slice(0, -':runner:rights'.length)}`
  const refused = answers.flatMap((answer, i) => {
    const refusal = answer.status === 'rejected' ? refusalOf(messageOf(answer.reason)) : undefined
    if (refusal === undefined) return []
    return refusal === 'keys' ? keys : (['multi', ...commands.map(([name = '']) => name)][i] ?? refusal)
  })
  return [...new Set(refused)]
}

/** What a command that failed was refused; undefined: it failed for another reason. */
export function asForbidden(error: unknown): RunnerError | undefined {
  const message = messageOf(error)
  const refusal = refusalOf(message)
  if (refusal === undefined || error instanceof RunnerError) return undefined
  const what = { keys: 'a key that this takes', script: 'a command of a script' }[refusal] ?? refusal
  return new RunnerError('REDIS_FORBIDDEN', `this user of Redis may not use ${what}`, {
    hint: 'deploy/redis/users.acl has what a producer, a worker, an operator and a reader need',
    details: { redis: message },
    cause: error,
  })
}

/** The command, 'keys', or 'script' where a script was refused one. Redis before 7.2 words it in another way. */
function refusalOf(message: string): string | undefined {
  if (/executing the script can't access/i.test(message)) return 'keys'
  if (/executing the script can't run/i.test(message)) return 'script'
  if (!/\bNOPERM\b/.test(message)) return undefined
  return /'([^']+)' command/.exec(message)?.[1] ?? 'keys'
}

/** Where the ledger lies in Redis. One hash slot: its scripts work on several keys. */
import type { Redis } from 'ioredis'

/** Fields of a shard that nobody has worked on, for HSET in a script. */
export const UNTOUCHED = `'state', 'open', 'epoch', 0, 'rows', 0, 'ms', 0, 'crashes', 0, 'alone', 0, 'lease_until', 0`

const PREFIX = '{runner-migrations}'

export class Space {
  readonly redis: Redis

  constructor(redis: Redis) {
    this.redis = redis
  }

  /** Sorted set of all runs, by the time they were made. */
  readonly runs = `${PREFIX}:runs`
  readonly run = (id: string): string => `${PREFIX}:run:${id}`
  /** Id of the run of this name and these arguments that is not over. */
  readonly active = (hash: string): string => `${PREFIX}:active:${hash}`
  /** Numbers of the shards of a run. */
  readonly shards = (run: string): string => `${PREFIX}:shards:${run}`
  readonly shard = (run: string, shard: number): string => `${PREFIX}:shard:${run}:${shard}`
  readonly failures = (run: string): string => `${PREFIX}:failures:${run}`
  readonly outputs = (run: string): string => `${PREFIX}:outputs:${run}`
  readonly events = (run: string): string => `${PREFIX}:events:${run}`

  /** Runs a script, which Redis keeps after the first time. `now` in it: milliseconds, by the clock of Redis. */
  async call<Of>(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<Of> {
    return (await this.redis.eval(`${NOW}${script}`, keys.length, ...keys, ...args)) as Of
  }
}

const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** The way to Redis for what has to answer before Redis does: tried until it is there. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { RunnerError } from '../errors.ts'
import { openRedis, type OpenOptions, type RedisHandle } from './connection.ts'

/** Milliseconds between two tries, each of which takes 5 s at most. */
const PAUSE_MS = 2_000

export interface LateOptions extends OpenOptions {
  /** It is not waited for any more. */
  signal: AbortSignal
  /** Of each try that has failed. */
  onUnreachable: (error: RunnerError) => void
}

/** undefined: the signal came first. Throws what `openRedis` does but REDIS_UNREACHABLE: waiting mends none of that. */
export async function openLate(
  config: Pick<Config, 'redis' | 'prefix' | 'cwd' | 'redisFrom'>,
  { signal, onUnreachable, ...options }: LateOptions,
): Promise<RedisHandle | undefined> {
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>()
  signal.addEventListener('abort', () => resolve(undefined))
  while (!signal.aborted) {
    try {
      const opening = openRedis(config, options)
      const redis = await Promise.race([opening, aborted])
      if (redis !== undefined) return redis
      // What comes of it now, nobody wants.
      opening.then(late => late.close()).catch(() => undefined)
    } catch (error) {
      if (!(error instanceof RunnerError) || error.code !== 'REDIS_UNREACHABLE') throw error
      onUnreachable(error)
      await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined)
    }
  }
  return undefined
}

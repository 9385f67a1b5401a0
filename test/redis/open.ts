/** openRedis() as the tests of this folder want it: one argument that matters, and the error as a value. */
import { expect } from 'vitest'
import type { Config } from '../../src/config.ts'
import { RunnerError } from '../../src/errors.ts'
import { type RedisHandle, openRedis } from '../../src/redis/connection.ts'

export function open(redis: Config['redis'], prefix = 'bull'): Promise<RedisHandle> {
  return openRedis({ redis, prefix, cwd: '/nonexistent', redisFrom: '--redis' })
}

/** The RunnerError that the promise must be rejected with. */
export async function failure(promise: Promise<unknown>): Promise<RunnerError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(RunnerError)
  return error as RunnerError
}

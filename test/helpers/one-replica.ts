/** One replica and the queues it works, for all tests of a block: started before the first, ended after the last. */
import { afterAll, beforeAll } from 'vitest'
import { bench, type Bench } from './fleet.ts'
import type { TestRedis } from './redis.ts'
import { Replica } from './replica.ts'

export interface OneReplica {
  b: Bench
  replica: Replica
}

/** `onStart` gets them before the first test. */
export function withReplica(
  redis: () => TestRedis,
  args: string[],
  onStart: (one: OneReplica) => void,
): void {
  let one: OneReplica | undefined
  beforeAll(async () => {
    const b = await bench(redis())
    one = { b, replica: await Replica.start({ redis: redis(), args }) }
    onStart(one)
  })
  afterAll(async () => {
    await one?.replica[Symbol.asyncDispose]()
    await one?.b[Symbol.asyncDispose]()
  })
}

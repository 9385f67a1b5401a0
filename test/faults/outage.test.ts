/** Redis goes away: a replica that is told to stop keeps its deadline, one that is not waits and goes on. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bench, KINDS, untilState } from '../helpers/fleet.ts'
import { expectPromiseKept, untilRecorded } from '../helpers/oracle.ts'
import { startRedis, type TestRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

let redis: TestRedis
beforeEach(async () => void (redis = await startRedis()))
afterEach(() => redis.stop())

/** grace 1 s, abort grace 1 s, hand-back 1.5 s, two closes of 1 s and the last one: what the steps may take at most. */
const DEADLINE = 8_000

describe.each(KINDS)('in a %s', isolation => {
  const args = ['--isolation', isolation, '--grace', '1s']

  it.each(['frozen', 'killed'])('stops in time while Redis is %s and a job spins', async how => {
    await using b = await bench(redis)
    await using replica = await Replica.start({ redis, args })
    await b.act({ do: 'spin-forever' })
    await untilRecorded(b.client, 'start', 1)
    if (how === 'frozen') redis.freeze()
    else await redis.stop()
    replica.kill('SIGTERM')
    const { code, ms } = await replica.ended
    expect(code).toBe(75)
    expect(ms).toBeLessThan(DEADLINE)
  })

  it('stops in time while Redis is killed and nothing runs', async () => {
    await using replica = await Replica.start({ redis, args })
    await redis.stop()
    replica.kill('SIGTERM')
    const { code, ms } = await replica.ended
    expect(code).toBe(0)
    expect(ms).toBeLessThan(DEADLINE)
  })
})

it('goes on after Redis was restarted under it, and keeps a result that came in the meantime', async () => {
  await using b = await bench(redis)
  await using _replica = await Replica.start({ redis })
  const during = await b.act({ do: 'spin', ms: 1_500, value: 'kept' })
  await untilRecorded(b.client, 'start', 1)
  await redis.restart()
  expect(await untilState(b.queue, during.id)).toMatchObject({ state: 'completed', returnvalue: 'kept' })
  const after = await b.act({ do: 'return', value: 'after' })
  expect(await untilState(b.queue, after.id)).toMatchObject({ state: 'completed', returnvalue: 'after' })
  await expectPromiseKept(b.client, { ids: [during.id as string, after.id as string], starts: 1 })
})

/** How much an executor may fill in a container, and that no flag of Node's gives it more. In real containers: test/containers. */
import { describe, expect, it, test } from 'vitest'
import { executorMemory, memoryDoubt } from '../../src/fleet/executor-memory.ts'
import { bytes, type Size } from '../../src/units.ts'
import { bench, untilState } from '../helpers/fleet.ts'
import { startRedis } from '../helpers/redis.ts'
import { Replica } from '../helpers/replica.ts'

const auto = (executors: number) => ({ executorMemory: 'auto' as const, executors })

describe('auto', () => {
  test.each<[Size | undefined, number, Size]>([
    [undefined, 64, '1GiB'],
    ['512MiB', 2, '128MiB'],
    ['512MiB', 1, '256MiB'],
    ['2GiB', 4, '256MiB'],
    ['16GiB', 2, '1GiB'],
    ['128MiB', 2, '64MiB'],
  ])('of a container of %s and %i executors is %s', (limit, executors, expected) => {
    const size = executorMemory(auto(executors), limit === undefined ? undefined : bytes(limit))
    expect(size).toBe(bytes(expected))
  })

  test('is nothing to doubt where all heaps fit, and is where the least is too much', () => {
    expect(memoryDoubt(auto(2), bytes('512MiB'))).toBeUndefined()
    expect(memoryDoubt(auto(8), undefined)).toBeUndefined()
    expect(memoryDoubt(auto(8), bytes('512MiB'))).toMatch(
      /^8 heap\(s\) of executors may grow to 64 MiB each, and this container has 512 MiB: /,
    )
  })
})

test('a size is taken as it is, and doubted where the container is killed first', () => {
  const given = { executorMemory: bytes('1GiB'), executors: 2 }
  expect(executorMemory(given, bytes('512MiB'))).toBe(bytes('1GiB'))
  expect(memoryDoubt(given, bytes('512MiB'))).toContain('2 heap(s) of executors may grow to 1024 MiB each')
  expect(memoryDoubt(given, bytes('4GiB'))).toBeUndefined()
})

// The two that V8 lets win over what an executor is given.
it.each([
  ['thread', '--max-old-space-size=3000'],
  ['process', '--max-old-space-size-percentage=90'],
])('in a %s it is not what %s in NODE_OPTIONS says', async (isolation, flag) => {
  await using redis = await startRedis()
  await using b = await bench(redis)
  const args = ['--isolation', isolation, '--executors', '1', '--executor-memory', '96MiB']
  await using _ = await Replica.start({ redis, args, env: { NODE_OPTIONS: flag } })
  const { id } = await b.act({ do: 'allocate', value: 600e6 })
  expect(await untilState(b.queue, id)).toMatchObject({
    state: 'failed',
    failedReason: expect.stringContaining('ran out of memory (heap limit 96 MiB)') as string,
  })
})

import { expect, it } from 'vitest'
import { RecentNames } from '../../src/redis/recent-names.ts'

it('looks once for all who ask, again when that is too old, and keeps no look that failed', async () => {
  let looks = 0
  const names = new RecentNames(async () => {
    looks++
    if (looks === 1) throw new Error('Redis is away')
    return [`queue-${looks}`]
  })
  await Promise.all([
    expect(names.list()).rejects.toThrow('Redis is away'),
    expect(names.list()).rejects.toThrow('Redis is away'),
  ])
  const [one, other] = await Promise.all([names.list(), names.list()])
  expect(one).toEqual(['queue-2'])
  expect(other).toBe(one)
  expect(looks).toBe(2)

  const eager = new RecentNames(async () => [`look-${++looks}`], -1)
  expect([await eager.list(), await eager.list()]).toEqual([['look-3'], ['look-4']])
})

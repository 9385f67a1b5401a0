import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { inside } from '../../helpers/inside.ts'

it('gives results in the order of the items, and never runs more at once than it may', async () => {
  const { ctx } = inside()
  let running = 0
  let most = 0
  const result = await ctx.map(
    Array.from({ length: 50 }, (_, i) => i),
    async (item, index) => {
      most = Math.max(most, ++running)
      for (let turns = item % 7; turns > 0; turns--) await nextTurn()
      running--
      return [item * 2, index]
    },
    { concurrency: 4 },
  )
  expect(result).toEqual(Array.from({ length: 50 }, (_, i) => [i * 2, i]))
  expect(most).toBe(4)
})

it.each([
  ['an empty list', [], []],
  ['a set', new Set([1, 2]), [1, 2]],
  ['functions that wait for nothing', [1, 2, 3], [1, 2, 3]],
])('takes %s', async (_what, items, expected) => {
  expect(await inside().ctx.map(items as Iterable<number>, item => item)).toEqual(expected)
})

it('reads its items as it goes: one waits, no more', async () => {
  const { ctx } = inside()
  let read = 0
  let done = 0
  const ahead: number[] = []
  function* items() {
    for (; read < 100; read++) {
      ahead.push(read - done)
      yield read
    }
  }
  await ctx.map(
    items(),
    async () => {
      await nextTurn()
      done++
    },
    { concurrency: 3 },
  )
  expect(done).toBe(100)
  expect(Math.max(...ahead)).toBeLessThanOrEqual(4)
})

it('starts no more after the first error, and rejects with it when those in flight have settled', async () => {
  const { ctx } = inside()
  const gate = Promise.withResolvers<void>()
  const started: number[] = []
  const settled = vi.fn()
  const boom = new Error('boom at 1')
  const result = ctx.map(
    [0, 1, 2, 3, 4],
    async item => {
      started.push(item)
      await nextTurn()
      if (item === 1) throw boom
      await gate.promise
      if (item === 2) throw new Error('a later one')
    },
    { concurrency: 3 },
  )
  result.then(settled, settled)
  for (let turns = 0; turns < 5; turns++) await nextTurn()
  expect(started).toEqual([0, 1, 2])
  expect(settled).not.toHaveBeenCalled()
  gate.resolve()
  await expect(result).rejects.toBe(boom)
  expect(started).toEqual([0, 1, 2])
})

it('starts no more after the abort, and rejects with its reason when those in flight have settled', async () => {
  const { ctx, run } = inside()
  const gate = Promise.withResolvers<void>()
  const fn = vi.fn(() => gate.promise)
  const settled = vi.fn()
  const result = ctx.map([0, 1, 2, 3], fn, { concurrency: 2 })
  result.then(settled, settled)
  await nextTurn()
  run.abort('timeout', 'too long')
  await nextTurn()
  expect(settled).not.toHaveBeenCalled()
  gate.resolve()
  await expect(result).rejects.toBe(run.signal.reason)
  expect(fn).toHaveBeenCalledTimes(2)
})

it('rejects with what its items throw, after those in flight, and closes them at an error', async () => {
  const { ctx } = inside()
  const boom = new Error('no more')
  let started = 0
  let done = 0
  const broken = function* () {
    yield 1
    yield 2
    throw boom
  }
  const fn = async () => {
    started++
    await nextTurn()
    done++
  }
  await expect(ctx.map(broken(), fn, { concurrency: 1 })).rejects.toBe(boom)
  expect(started).toBeGreaterThanOrEqual(1)
  expect(done).toBe(started)
  const closed = vi.fn()
  const endless = function* () {
    try {
      for (;;) yield 1
    } finally {
      closed()
    }
  }
  await expect(ctx.map(endless(), () => Promise.reject(boom))).rejects.toBe(boom)
  expect(closed).toHaveBeenCalledTimes(1)
})

it.each<[what: string, given: Iterable<number>, options: object, message: RegExp]>([
  [
    'concurrency 0',
    [],
    { concurrency: 0 },
    /^act: concurrency of map: expected a whole number from 1, got 0$/,
  ],
  ['half a one', [], { concurrency: 1.5 }, /got 1.5$/],
  ['a concurrency that is no number', [], { concurrency: NaN }, /got NaN$/],
  ['an unknown option', [], { concurency: 2 }, /^act: map has no option "concurency"$/],
  ['items that are none', 5 as never, {}, /^act: items of map: expected an iterable, got 5$/],
])('refuses %s', async (_what, items, options, message) => {
  const refused = inside().ctx.map(items, () => 1, options)
  await expect(refused).rejects.toMatchObject({
    code: 'CTX_OPTION_INVALID',
    message: expect.stringMatching(message) as string,
  })
})

import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { inside, spin } from '../../helpers/inside.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

async function* stream(count: number): AsyncGenerator<number> {
  for (const i of numbers(count)) {
    if (i % 3 === 0) await nextTurn()
    yield i
  }
}

const SOURCES = [
  ['an array', (count: number) => numbers(count), true],
  ['a set', (count: number) => new Set(numbers(count)), true],
  ['a generator', (count: number) => numbers(count).values(), false],
  ['an async generator', stream, false],
] as const

it.each(SOURCES)('walks %s in chunks, in order, and says how far it is', async (_what, sourceOf, sized) => {
  const { ctx, kept, progress } = inside()
  const seen: [number[], number][] = []
  expect(await ctx.chunks(sourceOf(7), (rows, from) => void seen.push([rows, from]), { size: 3 })).toBe(7)
  expect(seen).toEqual([
    [[0, 1, 2], 0],
    [[3, 4, 5], 3],
    [[6], 6],
  ])
  expect(progress[0]).toEqual(sized ? { done: 3, total: 7 } : { done: 3 })
  expect(kept.get('step:chunks:rows')).toBe('7')
})

it.each(SOURCES)('goes on with %s after the rows that an earlier run has done', async (_what, sourceOf) => {
  const boom = new Error('boom')
  const first = inside()
  const failing = first.ctx.chunks(
    sourceOf(10),
    (_rows, from) => {
      if (from === 4) throw boom
    },
    { size: 2 },
  )
  await expect(failing).rejects.toBe(boom)
  // Kept at the failure, though little time has passed.
  expect(first.writes).toEqual([['step:chunks:rows', '4']])

  const { ctx, kept } = inside({ kept: first.kept })
  const seen: number[] = []
  // The size may change: the position is a number of rows.
  expect(await ctx.chunks(sourceOf(10), rows => void seen.push(...rows), { size: 4 })).toBe(10)
  expect(seen).toEqual([4, 5, 6, 7, 8, 9])
  const again = vi.fn()
  expect(await inside({ kept }).ctx.chunks(sourceOf(10), again)).toBe(10)
  expect(again).not.toHaveBeenCalled()
})

it('keeps its position at most every 500 ms, and the last one always', async () => {
  const { ctx, writes } = inside()
  const began = performance.now()
  await ctx.chunks(numbers(150), () => spin(10), { size: 1 })
  const most = (performance.now() - began) / 500 + 2
  const positions = writes.map(([, json]) => Number(json))
  expect(positions.at(-1)).toBe(150)
  expect(positions.length).toBeGreaterThanOrEqual(3)
  expect(positions.length).toBeLessThanOrEqual(most)
})

it('lets the loop turn when the budget is used up: between chunks, and in a chunk that is slow to read', async () => {
  const { ctx } = inside()
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await ctx.chunks(numbers(20), () => spin(5), { size: 1, budget: '5ms' })
  expect(turns).toBeGreaterThan(10)
  turns = 0
  const costly = function* () {
    for (const i of numbers(20)) {
      spin(5)
      yield i
    }
  }
  await ctx.chunks(costly(), () => undefined, { name: 'costly', budget: 5 })
  expect(turns).toBeGreaterThan(10)
  turns = 0
  await ctx.chunks(numbers(20), () => spin(1), { size: 1, name: 'rarely', budget: '10s' })
  expect(turns).toBeLessThan(5)
  clearInterval(timer)
})

it('waits for the chunk in progress at the abort, keeps the position and rejects with the reason', async () => {
  const { ctx, run, kept } = inside()
  const gate = Promise.withResolvers<void>()
  const fn = vi.fn(() => gate.promise)
  const settled = vi.fn()
  const walk = ctx.chunks(numbers(10), fn, { size: 2 })
  walk.then(settled, settled)
  await vi.waitFor(() => expect(fn).toHaveBeenCalled())
  run.abort('shutdown', 'the replica stops')
  await nextTurn()
  expect(settled).not.toHaveBeenCalled()
  gate.resolve()
  await expect(walk).rejects.toBe(run.signal.reason)
  expect(fn).toHaveBeenCalledTimes(1)
  expect(kept.get('step:chunks:rows')).toBe('2')
})

it('does not wait for a source that never goes on when it is aborted', async () => {
  const { ctx, run, kept } = inside()
  const closed = vi.fn()
  const asked = vi.fn(() => new Promise<void>(() => {}))
  const source = async function* () {
    try {
      yield 1
      await asked()
    } finally {
      closed()
    }
  }
  const walk = ctx.chunks(source(), () => undefined, { size: 1 })
  await vi.waitFor(() => expect(asked).toHaveBeenCalled())
  run.abort('timeout', 'too long')
  await expect(walk).rejects.toBe(run.signal.reason)
  expect(kept.get('step:chunks:rows')).toBe('1')
})

it('closes its source when fn throws, and rejects with what the source throws', async () => {
  const { ctx } = inside()
  const closed = vi.fn()
  const source = async function* () {
    try {
      for (;;) yield 1
    } finally {
      await nextTurn()
      closed()
    }
  }
  await expect(ctx.chunks(source(), () => Promise.reject(new Error('boom')))).rejects.toThrow('boom')
  expect(closed).toHaveBeenCalledTimes(1)
  const broken = async function* () {
    yield 1
    throw new Error('no more')
  }
  await expect(ctx.chunks(broken(), () => undefined, { name: 'broken' })).rejects.toThrow('no more')
})

it('gives promises of a plain iterable as they are', async () => {
  const seen: unknown[] = []
  const promises = [Promise.resolve(1), Promise.resolve(2)]
  await inside().ctx.chunks(new Set(promises), rows => void seen.push(...rows))
  expect(seen).toEqual(promises)
})

it('two walks of one job have a position each, and a name', async () => {
  const { ctx, kept } = inside()
  await ctx.chunks(numbers(3), () => undefined)
  await ctx.chunks(numbers(5), () => undefined, { name: 'users' })
  expect(Object.fromEntries(kept)).toEqual({ 'step:chunks:rows': '3', 'step:chunks:users': '5' })
  await expect(ctx.chunks(numbers(3), () => undefined)).rejects.toMatchObject({
    code: 'CTX_NAME_TAKEN',
    message: 'act: chunks "rows" are walked twice in one run: they would share a position',
  })
})

it('leaves the checkpoint of the handler alone', async () => {
  const { ctx } = inside()
  await ctx.chunks(numbers(4), (_rows, from) => ctx.checkpoint.set({ from }), { size: 2 })
  expect(await ctx.checkpoint.get()).toEqual({ from: 2 })
})

it('rejects with the error of a superseded run', async () => {
  const { ctx } = inside({ refusal: { name: 'SupersededError', message: 'a later run has started' } })
  await expect(ctx.chunks([1], () => undefined)).rejects.toMatchObject({ name: 'SupersededError' })
})

it.each<[what: string, given: Iterable<number>, options: object, message: RegExp]>([
  ['size 0', [], { size: 0 }, /^act: size of chunks: expected a whole number from 1, got 0$/],
  ['a size that is text', [], { size: '5' }, /got "5"$/],
  ['a budget that is none', [], { budget: 'x' }, /^act: budget of chunks: expected a duration .*got "x"$/],
  ['an empty name', [], { name: '' }, /^act: name of chunks: expected a name .*got ""$/],
  ['an unknown option', [], { sise: 1 }, /^act: chunks has no option "sise"$/],
  ['a source that is none', 5 as never, {}, /^act: source of chunks: expected an array.*got 5$/],
])('refuses %s', async (_what, source, options, message) => {
  const { ctx, writes } = inside()
  const refused = ctx.chunks(source, () => undefined, options)
  await expect(refused).rejects.toMatchObject({
    code: 'CTX_OPTION_INVALID',
    message: expect.stringMatching(message) as string,
  })
  expect(writes).toEqual([])
})

it('misses no line of readline, though its own position is asked for first', async () => {
  const { ctx } = inside()
  const seen: string[] = []
  const lines = createInterface({ input: Readable.from([numbers(2_000).join('\n')]) })
  await ctx.chunks(lines, rows => void seen.push(...rows), { size: 7 })
  expect(seen).toEqual(numbers(2_000).map(String))
})

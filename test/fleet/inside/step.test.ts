import { expect, it, vi } from 'vitest'
import { inside } from '../../helpers/inside.ts'

it('runs once per job; the first run sees what the later ones see', async () => {
  const { ctx, kept } = inside()
  const fn = vi.fn(async () => ({ at: new Date(0), gone: undefined }))
  const first = await ctx.step('charge', fn)
  expect(first).toEqual({ at: '1970-01-01T00:00:00.000Z' })
  expect(first).not.toHaveProperty('gone')
  expect(await ctx.step('charge', fn)).toEqual(first)
  expect(await inside({ kept }).ctx.step('charge', fn)).toEqual(first)
  expect(fn).toHaveBeenCalledTimes(1)
})

it.each([[undefined], [null], [0], [''], [false], [[]], [{}]])(
  'keeps %j as a result like any other',
  async value => {
    const { ctx, kept } = inside()
    const fn = vi.fn(() => value)
    expect(await ctx.step('one', fn)).toEqual(value)
    expect(await inside({ kept }).ctx.step('one', fn)).toEqual(value)
    expect(fn).toHaveBeenCalledTimes(1)
  },
)

it('keeps nothing of one that throws, which may then be called again in the same run', async () => {
  const { ctx, writes } = inside()
  const boom = new Error('boom')
  await expect(ctx.step('odd', () => Promise.reject(boom))).rejects.toBe(boom)
  expect(writes).toEqual([])
  expect(await ctx.step('odd', () => 'now')).toBe('now')
})

it('refuses a second one of the same name while the first runs, and not afterwards', async () => {
  const { ctx } = inside()
  const gate = Promise.withResolvers<number>()
  const first = ctx.step('a', () => gate.promise)
  const second = vi.fn(() => 2)
  await expect(ctx.step('a', second)).rejects.toMatchObject({
    code: 'CTX_NAME_TAKEN',
    message: expect.stringMatching(/^act: step "a"/) as string,
  })
  gate.resolve(1)
  expect([await first, await ctx.step('a', second), await ctx.step('b', second)]).toEqual([1, 1, 2])
})

it('runs steps of other names at once, and one within another', async () => {
  const { ctx } = inside()
  const inner = () => ctx.step('inner', () => 1)
  expect(await Promise.all([ctx.step('outer', inner), ctx.step('other', () => 2)])).toEqual([1, 2])
})

it('starts none after the abort, but hands out what is kept', async () => {
  const { ctx, run } = inside()
  await ctx.step('before', () => 1)
  run.abort('timeout', 'too long')
  const fn = vi.fn()
  await expect(ctx.step('after', fn)).rejects.toBe(run.signal.reason)
  expect(fn).not.toHaveBeenCalled()
  expect(await ctx.step('before', fn)).toBe(1)
})

it('rejects with the error of a superseded run, whose result is not kept', async () => {
  const { ctx, kept } = inside({ refusal: { name: 'SupersededError', message: 'a later run has started' } })
  await expect(ctx.step('late', () => 1)).rejects.toMatchObject({ name: 'SupersededError' })
  expect(kept.size).toBe(0)
})

it.each([
  [
    'an empty name',
    '',
    () => 1,
    'CTX_OPTION_INVALID',
    /name of step: expected a name of 1 to 200 characters, got ""/,
  ],
  ['a name that is none', 5 as never, () => 1, 'CTX_OPTION_INVALID', /got 5/],
  ['a name of chunks', 'chunks:rows', () => 1, 'CTX_OPTION_INVALID', /step "chunks:rows"/],
  ['no function', 'a', 1 as never, 'CTX_OPTION_INVALID', /fn of step: expected a function, got 1/],
  [
    'a result that is a BigInt',
    'a',
    () => 1n as never,
    'CTX_VALUE_INVALID',
    /the result of step "a" is not JSON/,
  ],
  [
    'a result that is a function',
    'a',
    () => (() => 1) as never,
    'CTX_VALUE_INVALID',
    /the result of step "a" is not JSON/,
  ],
])('refuses %s', async (_what, name, fn, code, message) => {
  const { ctx, writes } = inside()
  const refused = expect.stringMatching(new RegExp(`^act: .*${message.source}`)) as string
  await expect(ctx.step(name, fn)).rejects.toMatchObject({ code, message: refused })
  expect(writes).toEqual([])
})

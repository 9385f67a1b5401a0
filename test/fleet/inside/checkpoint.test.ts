import { expect, it } from 'vitest'
import { inside } from '../../helpers/inside.ts'

it('is null at first, and then what was set last, also in a later run', async () => {
  const { ctx, kept } = inside()
  const { get, set } = ctx.checkpoint
  expect(await get()).toBeNull()
  await set({ last: 4 })
  await set({ last: 5, at: new Date(0) })
  expect(await get()).toEqual({ last: 5, at: '1970-01-01T00:00:00.000Z' })
  expect(await inside({ kept }).ctx.checkpoint.get()).toEqual({ last: 5, at: '1970-01-01T00:00:00.000Z' })
})

it.each([
  ['a BigInt', 1n, /^act: the checkpoint is not JSON: .*BigInt/],
  ['a function', () => 1, /^act: the checkpoint is not JSON: a function$/],
  ['nothing', undefined, /^act: the checkpoint is not JSON: a undefined$/],
  [
    'more than 1 MiB',
    'é'.repeat(2 ** 19),
    /^act: the checkpoint has 1048578 bytes of JSON, 1048576 are allowed$/,
  ],
])('refuses %s by the name of the job, and keeps what was there', async (_what, value, message) => {
  const { ctx, writes } = inside()
  await ctx.checkpoint.set(1)
  const refused = ctx.checkpoint.set(value)
  await expect(refused).rejects.toMatchObject({
    code: 'CTX_VALUE_INVALID',
    message: expect.stringMatching(message),
  })
  expect(writes).toEqual([['checkpoint', '1']])
})

it('rejects with the error of a superseded run', async () => {
  const { ctx } = inside({ refusal: { name: 'SupersededError', message: 'a later run has started' } })
  await expect(ctx.checkpoint.set(1)).rejects.toMatchObject({ name: 'SupersededError' })
})

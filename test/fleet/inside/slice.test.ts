import { expect, it } from 'vitest'
import { inside, spin } from '../../helpers/inside.ts'

it('one breathing run goes on in each turn of the loop, and all of them get on alike', async () => {
  const RUNS = 8
  const ROUNDS = 5
  let turn = 0
  let over = false
  const count = () => {
    turn++
    if (!over) setImmediate(count)
  }
  setImmediate(count)
  const slices: { run: number; turn: number }[] = []
  await Promise.all(
    Array.from({ length: RUNS }, async (_, run) => {
      const { ctx } = inside()
      for (let round = 0; round < ROUNDS; round++) {
        spin(11)
        await ctx.breathe()
        slices.push({ run, turn })
      }
    }),
  )
  over = true
  expect(new Set(slices.map(slice => slice.turn)).size).toBe(RUNS * ROUNDS)
  // First come, first served: nobody is a round ahead.
  for (let round = 0; round < ROUNDS; round++) {
    const ran = slices.slice(round * RUNS, (round + 1) * RUNS).map(({ run }) => run)
    expect(ran.toSorted((a, b) => a - b)).toEqual(Array.from({ length: RUNS }, (_, run) => run))
  }
})

it('does not wait for a turn before its slice is used up', async () => {
  const { ctx } = inside()
  spin(11)
  await ctx.breathe()
  let turned = false
  setImmediate(() => (turned = true))
  await ctx.breathe()
  expect(turned).toBe(false)
})

it('rejects with the reason of a run that was aborted while it waited', async () => {
  const { ctx, run } = inside()
  spin(11)
  const breath = ctx.breathe()
  run.abort('timeout', 'too long')
  await expect(breath).rejects.toBe(run.signal.reason)
  await expect(ctx.breathe()).rejects.toBe(run.signal.reason)
})

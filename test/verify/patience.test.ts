import { beforeEach, expect, it } from 'vitest'
import { Patience } from '../../src/verify/patience.ts'

let now = 0
let patience: Patience
beforeEach(() => {
  now = 0
  patience = new Patience(() => now)
})

const runs = async () => true
const runsNot = async () => false
const after = (seconds: number, picture: string, isRunning: () => Promise<boolean>) => {
  now += seconds * 1_000
  return patience.isExhausted(picture, isRunning)
}

it('ends when nothing moved for thirty seconds and nothing runs', async () => {
  expect(await after(0, 'a', runsNot)).toBe(false)
  expect(await after(30, 'a', runsNot)).toBe(false)
  expect(await after(1, 'a', runsNot)).toBe(true)
})

it('begins anew with whatever moves', async () => {
  for (const picture of ['a', 'b', 'c', 'd']) expect(await after(29, picture, runsNot)).toBe(false)
  expect(await after(31, 'd', runsNot)).toBe(true)
})

it('waits for a run that is alive, however still it is, and thirty seconds more when it is gone', async () => {
  expect(await after(0, 'a', runs)).toBe(false)
  expect(await after(60, 'a', runs)).toBe(false)
  expect(await after(29, 'a', runsNot)).toBe(false)
  expect(await after(2, 'a', runsNot)).toBe(true)
})

it('ends after ten minutes, though everything moves', async () => {
  for (let minute = 1; minute <= 10; minute++) expect(await after(60, `${minute}`, runs)).toBe(false)
  expect(await after(1, 'more', runs)).toBe(true)
})

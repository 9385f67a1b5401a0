/** When a replica sweeps stalled jobs, with a Redis that is played by the test. */
import type { RedisQueueBackend } from 'bullmq'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { SweepGuard } from '../../src/fleet/sweep-guard.ts'

const LOCK = 4_000

let guard: SweepGuard
let backend: RedisQueueBackend
let answersAfter: number
const sweep = vi.fn<() => Promise<string[]>>()

beforeEach(() => {
  vi.useFakeTimers()
  answersAfter = 1
  sweep.mockReset().mockResolvedValue(['7'])
  const played = {
    moveStalledJobsToWait: sweep,
    getQueueMetaField: () => new Promise(resolve => setTimeout(resolve, answersAfter)),
  }
  backend = played as unknown as RedisQueueBackend
  guard = new SweepGuard(backend, () => LOCK)
})
afterEach(() => {
  guard.close()
  vi.useRealTimers()
})

async function swept(): Promise<string[]> {
  const result = backend.moveStalledJobsToWait()
  await vi.advanceTimersByTimeAsync(answersAfter)
  return result
}

it('sweeps while Redis answers', async () => {
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await swept()).toEqual(['7'])
})

it('does not sweep for one lock duration, and the 2 s in which all reconnect, after Redis took long to answer', async () => {
  answersAfter = 9_000
  expect(await swept()).toEqual([])
  answersAfter = 1
  await vi.advanceTimersByTimeAsync(2_000 + LOCK - 100)
  expect(await swept()).toEqual([])
  await vi.advanceTimersByTimeAsync(200)
  expect(await swept()).toEqual(['7'])
})

it('does not sweep after it was frozen', async () => {
  await vi.advanceTimersByTimeAsync(5_000)
  const now = performance.now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now + 9_000)
  // The timer of the sweep is the first that fires.
  expect(await swept()).toEqual([])
  clock.mockRestore()
  expect(sweep).not.toHaveBeenCalled()
})

it('does not sweep while Redis refuses, and for one lock duration and 2 s after it last did', async () => {
  guard.postpone()
  await vi.advanceTimersByTimeAsync(5_000)
  guard.postpone()
  await vi.advanceTimersByTimeAsync(2_000 + LOCK - 100)
  expect(await swept()).toEqual([])
  await vi.advanceTimersByTimeAsync(200)
  expect(await swept()).toEqual(['7'])
})

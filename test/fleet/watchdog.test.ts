/** What the watchdog makes of beats and stacks, against executors that are played by the test. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Block } from '../../src/fleet/block.ts'
import type { Executor } from '../../src/fleet/executor.ts'
import type { Sighting } from '../../src/fleet/sight.ts'
import { Watchdog, type WatchdogOptions } from '../../src/fleet/watchdog.ts'

const SIGHTING: Sighting = {
  run: { seq: 1, name: 'report', id: '41', queue: 'q' },
  frames: [{ name: 'run', url: 'file:///jobs/report.ts', line: 12, column: 5 }],
}

class Played {
  state = 'ready'
  late = false
  beats = 0
  readonly runs = new Map()
  readonly seen = Promise.withResolvers<Sighting>()
  sight = vi.fn<() => Promise<Sighting>>(() => this.seen.promise)
}

let played: Played
let watchdog: Watchdog
const told = {
  limitOf: vi.fn<WatchdogOptions['limitOf']>(),
  onBlocked: vi.fn<WatchdogOptions['onBlocked']>(),
  onOver: vi.fn<WatchdogOptions['onOver']>(),
  onLimit: vi.fn<WatchdogOptions['onLimit']>(),
  onTurn: vi.fn<WatchdogOptions['onTurn']>(),
  onRecovered: vi.fn<WatchdogOptions['onRecovered']>(),
}

beforeEach(() => {
  vi.useFakeTimers()
  for (const listener of Object.values(told)) listener.mockReset()
  told.limitOf.mockReturnValue(10_000)
  played = new Played()
  watchdog = new Watchdog({ ...told, warn: 1_000, executors: () => [played as unknown as Executor] })
  watchdog.start()
})
afterEach(() => {
  watchdog.stop()
  vi.useRealTimers()
})

/** The loop turns for so long. */
async function turn(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    played.beats++
    await vi.advanceTimersByTimeAsync(100)
  }
}
const block = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const blockOf = (call: unknown[] | undefined) => call?.[0] as Block

it('asks nothing of a loop that turns', async () => {
  await turn(60_000)
  expect(played.sight).not.toHaveBeenCalled()
  expect(played.late).toBe(false)
})

it('gives a late executor no run before it is reported, and again once its loop turns', async () => {
  await turn(500)
  await block(500)
  expect(played.late).toBe(true)
  expect(told.onBlocked).not.toHaveBeenCalled()
  expect(played.sight).not.toHaveBeenCalled()
  await turn(200)
  expect(played.late).toBe(false)
  expect(told.onRecovered).toHaveBeenCalledOnce()
})

it('reports a block once, with its stack, and its end with its length', async () => {
  await turn(500)
  await block(1_200)
  played.seen.resolve(SIGHTING)
  await block(5_000)
  expect(told.onBlocked).toHaveBeenCalledOnce()
  expect(blockOf(told.onBlocked.mock.lastCall)).toMatchObject({ job: SIGHTING.run, native: false })
  await turn(200)
  expect(told.onOver).toHaveBeenCalledOnce()
  const [, ms] = told.onOver.mock.lastCall as [Block, number]
  expect(ms).toBeGreaterThan(5_900)
  expect(ms).toBeLessThanOrEqual(6_400)
})

it('says that it is in native code when no stack comes, and where once it has come', async () => {
  await turn(500)
  await block(2_000)
  expect(blockOf(told.onBlocked.mock.lastCall)).toMatchObject({ native: true, where: 'in native code' })
  // The call returns: the loop turns, and the stack of what came after it arrives.
  await turn(100)
  played.seen.resolve(SIGHTING)
  await turn(100)
  expect(told.onBlocked).toHaveBeenCalledTimes(2)
  expect(blockOf(told.onBlocked.mock.lastCall).where).toMatch(
    /^in native code that returned to .*report\.ts:12:5$/,
  )
})

it('says again at 30 s what a plain worker would have lost', async () => {
  await turn(500)
  told.limitOf.mockReturnValue(false)
  await block(1_200)
  played.seen.resolve(SIGHTING)
  await block(40_000)
  expect(told.onBlocked.mock.calls.map(([, , lost]) => lost)).toEqual([false, true])
  expect(told.onLimit).not.toHaveBeenCalled()
})

it('tells the limit once', async () => {
  await turn(500)
  await block(30_000)
  expect(told.onLimit).toHaveBeenCalledOnce()
  expect(told.onLimit.mock.lastCall?.[1]).toBe(10_000)
})

it('takes its own freeze for no block', async () => {
  await turn(500)
  const now = performance.now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now + 60_000)
  await block(100)
  clock.mockRestore()
  expect(played.sight).not.toHaveBeenCalled()
  expect(told.onBlocked).not.toHaveBeenCalled()
  expect(told.onLimit).not.toHaveBeenCalled()
})

it('lets an executor go that ends', async () => {
  await turn(500)
  await block(1_200)
  played.state = 'ended'
  played.seen.reject(new Error('the thread has ended'))
  await block(60_000)
  expect(told.onBlocked).not.toHaveBeenCalled()
  expect(told.onLimit).not.toHaveBeenCalled()
})

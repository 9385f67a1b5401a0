/** How a worker asks for jobs, with a Redis that is played by the test. */
import type { RedisQueueBackend } from 'bullmq'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Fetching } from '../../src/fleet/fetching.ts'

const REFUSED = new Error(
  "READONLY You can't write against a read only replica. script: 1f, on @user_script:7.",
)

const take = vi.fn<() => Promise<unknown>>()
const wait = vi.fn<() => Promise<unknown>>()
let backend: { moveToActive: () => Promise<unknown>; waitForJob: (seconds: number) => Promise<unknown> }
let over: AbortController
let fetching: Fetching

beforeEach(() => {
  vi.useFakeTimers()
  take.mockReset()
  wait.mockReset()
  over = new AbortController()
  backend = { moveToActive: take, waitForJob: wait }
  fetching = new Fetching(backend as unknown as RedisQueueBackend, over.signal)
})
afterEach(() => vi.useRealTimers())

/** As BullMQ's loop does: again as soon as the last one has failed. */
function loop(): void {
  void backend.moveToActive().catch(() => loop())
}

it('asks a Redis that refuses 20 times a second at first, and once in two seconds soon', async () => {
  take.mockRejectedValue(REFUSED)
  loop()
  await vi.advanceTimersByTimeAsync(100)
  expect(take.mock.calls.length).toBeGreaterThan(1)
  await vi.advanceTimersByTimeAsync(10_000)
  const before = take.mock.calls.length
  expect(before).toBeLessThan(15)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(take.mock.calls.length - before).toBe(10)
  expect(fetching).toMatchObject({ turns: take.mock.calls.length, refusal: REFUSED })
})

it('is as quick as at first after it was let in', async () => {
  take.mockRejectedValue(REFUSED)
  loop()
  await vi.advanceTimersByTimeAsync(10_000)
  take.mockResolvedValueOnce([])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(fetching.refusal).toBeUndefined()
  const before = take.mock.calls.length
  loop()
  await vi.advanceTimersByTimeAsync(60)
  expect(take.mock.calls.length - before).toBe(2)
})

it('neither counts nor slows what is no refusal, and waits no longer when it is about to be closed', async () => {
  take.mockRejectedValueOnce(new Error('Connection is closed.'))
  await expect(backend.moveToActive()).rejects.toThrow('closed')
  expect(fetching.turns).toBe(0)
  take.mockRejectedValue(REFUSED)
  const refused = backend.moveToActive()
  refused.catch(() => undefined)
  await vi.advanceTimersByTimeAsync(1)
  over.abort()
  await expect(refused).rejects.toThrow('READONLY')
})

it('waits 3 s longer than it was asked to for a job, and gives what comes later to the next who waits', async () => {
  const late = Promise.withResolvers<unknown>()
  wait.mockReturnValueOnce(late.promise)
  const first = backend.waitForJob(5)
  let over = false
  void first.then(() => (over = true))
  await vi.advanceTimersByTimeAsync(7_900)
  expect(over).toBe(false)
  await vi.advanceTimersByTimeAsync(200)
  expect(await first).toBeNull()
  const second = backend.waitForJob(5)
  late.resolve({ member: '0', score: 0 })
  expect(await second).toEqual({ member: '0', score: 0 })
  expect(wait).toHaveBeenCalledTimes(1)
})

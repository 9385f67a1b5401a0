/** How long a finished run insists on its end while Redis refuses it, with a Redis that is played by the test. */
import type { RedisQueueBackend } from 'bullmq'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { FleetJob } from '../../src/fleet/fleet-job.ts'
import type { FleetLocks } from '../../src/fleet/fleet-locks.ts'
import { LockReclaim } from '../../src/fleet/lock-reclaim.ts'
import type { Fence } from '../../src/redis/fence.ts'

const DENIED = 'NOPERM No permissions to access a key script: 1f, on @user_script:7.'
const READONLY = "READONLY You can't write against a read only replica."

const finish = vi.fn<() => Promise<unknown>>()
let backend: Record<string, (id: string) => Promise<unknown>>
let reclaim: LockReclaim
let refusals: unknown[]

beforeEach(() => {
  vi.useFakeTimers()
  finish.mockReset()
  refusals = []
  const others = [
    'extendLocks',
    'retryJob',
    'moveToDelayed',
    'moveToWaitingChildren',
    'moveJobFromActiveToWait',
  ]
  backend = {
    moveToFinished: finish,
    ...Object.fromEntries(others.map(name => [name, async () => undefined])),
  }
  const jobs = new Map<string, FleetJob>()
  const locks = {
    lockDuration: 8_000,
    leave() {},
    heldBy(id: string) {
      const job = jobs.get(id) ?? ({ id } as FleetJob)
      jobs.set(id, job)
      return { job, hold: { id, token: 't' } }
    },
  }
  const events = { onSuperseded: () => expect.unreachable(), onReclaimed: () => expect.unreachable() }
  reclaim = new LockReclaim(
    backend as unknown as RedisQueueBackend,
    locks as unknown as FleetLocks,
    {} as Fence,
    events,
    { over: new AbortController().signal, onRefusal: error => refusals.push(error) },
  )
})
afterEach(() => vi.useRealTimers())

/** What becomes of a move within ten minutes, and after how many seconds. */
async function fateOf(id: string): Promise<{ after: number; error?: unknown }> {
  const begun = Date.now()
  const after = () => (Date.now() - begun) / 1_000
  const fate = backend['moveToFinished']?.(id).then(
    () => ({ after: after() }),
    (error: unknown) => ({ after: after(), error }),
  )
  await vi.advanceTimersByTimeAsync(600_000)
  return (await fate) ?? { after: Infinity }
}

it('gives up after about a minute what its user may not do, for all moves of a run together', async () => {
  finish.mockImplementation(() => Promise.reject(new Error(DENIED)))
  const first = await fateOf('1')
  expect(first.error).toEqual(new Error(DENIED))
  expect(first.after).toBeGreaterThan(45)
  expect(first.after).toBeLessThan(65)
  expect(finish).toHaveBeenCalledTimes(31)
  expect(refusals).toHaveLength(30)
  // So that one job's rights do not keep its replica from sweeping.
  expect(reclaim.denied.has(first.error as Error)).toBe(true)
  // As failed, what could not be completed.
  expect(await fateOf('1')).toEqual({ after: 0, error: new Error(DENIED) })
  expect((await fateOf('2')).after).toBeGreaterThan(45)
})

it('insists as long as it takes where Redis takes no writes from anybody', async () => {
  finish.mockImplementation(() => Promise.reject(new Error(READONLY)))
  setTimeout(() => finish.mockResolvedValue([]), 300_000)
  const { after, error } = await fateOf('1')
  expect(error).toBeUndefined()
  expect(after).toBeGreaterThanOrEqual(300)
  expect(after).toBeLessThan(303)
  expect(refusals.length).toBeGreaterThan(100)
  expect(refusals.filter(one => reclaim.denied.has(one as Error))).toEqual([])
})

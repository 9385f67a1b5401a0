import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Deadline } from '../../src/fleet/deadline.ts'
import type { FleetJob } from '../../src/fleet/fleet-job.ts'
import { Run } from '../../src/fleet/run.ts'
import type { JobEntry } from '../../src/job/manifest.ts'

const DAY = 86_400_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it.each([1, 24, 30, 100])('is due after %i days, neither before nor twice', days => {
  const onDue = vi.fn<() => void>()
  void new Deadline(days * DAY, onDue)
  vi.advanceTimersByTime(days * DAY - 1)
  expect(onDue).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1 + 100 * DAY)
  expect(onDue).toHaveBeenCalledOnce()
})

it('is never due once it is cleared, also after it was armed again', () => {
  const onDue = vi.fn<() => void>()
  const deadline = new Deadline(30 * DAY, onDue)
  vi.advanceTimersByTime(26 * DAY)
  deadline.clear()
  vi.advanceTimersByTime(30 * DAY)
  expect(onDue).not.toHaveBeenCalled()
})

it('is what the timeout of a run is kept by', () => {
  const onDue = vi.fn<() => void>()
  const run = new Run(1, {} as FleetJob, 'token', {} as JobEntry, 'shared', () => undefined)
  run.setDeadline(30 * DAY, onDue)
  vi.advanceTimersByTime(29 * DAY)
  expect(onDue).not.toHaveBeenCalled()
  vi.advanceTimersByTime(DAY)
  expect(onDue).toHaveBeenCalledOnce()
})

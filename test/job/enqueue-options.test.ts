import type { Queue } from 'bullmq'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { toJobsOptions } from '../../src/job/enqueue-options.ts'

const KEPT = { removeOnComplete: { count: 1000 }, removeOnFail: { count: 5000 } }

describe('toJobsOptions', () => {
  test('keeps the newest 1000 and 5000 where nothing is said', () => {
    expect(toJobsOptions()).toEqual(KEPT)
  })

  test('takes what the file says, and the options of one enqueue before that', () => {
    const entry = {
      attempts: 5,
      priority: 2,
      backoff: { type: 'exponential' as const, delay: 1000, jitter: 0.5 },
      removeOnComplete: true,
      removeOnFail: { age: 60 },
    }
    expect(toJobsOptions(entry)).toEqual(entry)
    expect(toJobsOptions(entry, { attempts: 1, priority: 0 })).toEqual({ ...entry, attempts: 1, priority: 0 })
  })

  test('says them in the words of BullMQ', () => {
    expect(
      toJobsOptions(undefined, { id: 'job-7', delay: '1.5m', dedupe: 'nightly', queue: 'mail' }),
    ).toEqual({
      ...KEPT,
      jobId: 'job-7',
      delay: 90_000,
      deduplication: { id: 'nightly' },
    })
  })

  test('is of a type that BullMQ takes', () => {
    expectTypeOf(toJobsOptions).returns.toExtend<NonNullable<Parameters<Queue['add']>[2]>>()
  })

  test.each([
    [{ id: '42' }, 'id: got "42", BullMQ takes no whole number as an id, those are its own'],
    [{ id: '-1' }, 'id: got "-1", BullMQ takes no whole number as an id, those are its own'],
    [{ id: 'a:b' }, 'id: got "a:b", BullMQ takes no ":" in an id'],
    [{ id: '' }, 'id: got "", it is empty'],
    [{ dedupe: '' }, 'dedupe: an empty id cannot be used'],
    [{ attempts: 0 }, 'attempts: got 0, expected a whole number from 1'],
    [{ attempts: 1.5 }, 'attempts: got 1.5, expected a whole number from 1'],
    [{ priority: -1 }, 'priority: got -1, expected a whole number 0 to 2097151'],
    [{ priority: 2_097_152 }, 'priority: got 2097152, expected a whole number 0 to 2097151'],
    [{ delay: 'soon' }, 'delay: expected a duration such as 250ms, 30s, 5m, 2h or 1d, got "soon"'],
    [{ delay: -1 }, 'delay: expected a duration such as 250ms, 30s, 5m, 2h or 1d, got -1'],
  ])('refuses %j', (options, message) => {
    expect(() => toJobsOptions(undefined, options)).toThrow(
      expect.objectContaining({ code: 'USAGE', message }),
    )
  })
})

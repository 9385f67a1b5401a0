import { expect, test } from 'vitest'
import { Cancel, Retry, Snooze, Unrecoverable } from '../../src/job/outcome.ts'

test('each is an Error known by its name, with its delay in milliseconds or its code', () => {
  expect(new Retry('5m', { reason: 'busy' })).toMatchObject({
    name: 'Retry',
    message: 'busy',
    delay: 300_000,
  })
  expect(new Snooze('1h')).toMatchObject({ name: 'Snooze', message: 'snooze for 1h', delay: 3_600_000 })
  expect(new Cancel('not needed')).toMatchObject({
    name: 'Cancel',
    message: 'not needed',
    code: 'JOB_CANCELLED',
  })
  expect(new Unrecoverable('no such user')).toMatchObject({ name: 'Unrecoverable', message: 'no such user' })
})

import type { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { CrashLoop } from '../../src/fleet/crash-loop.ts'
import type { FleetJob } from '../../src/fleet/fleet-job.ts'
import type { AbortCause, Failure } from '../../src/fleet/protocol.ts'
import { Run } from '../../src/fleet/run.ts'
import { Settlement } from '../../src/fleet/settlement.ts'
import type { JobEntry } from '../../src/job/manifest.ts'
import { Events } from '../../src/observe/events.ts'

/** What is thrown to BullMQ for a failed run, and where the job was moved to before. */
async function settled(failure: Failure, aborted?: AbortCause) {
  const moved: string[] = []
  const job = {
    name: 'a',
    id: '1',
    queueName: 'q',
    opts: {},
    moveToWait: async () => moved.push('wait'),
    moveToDelayed: async () => moved.push('delayed'),
  }
  const crashes = new CrashLoop({} as Redis, 'bull')
  const run = new Run(1, job as unknown as FleetJob, 'token', {} as JobEntry, 'shared', () => undefined)
  run.aborted = aborted
  const settlement = new Settlement(crashes, new Events())
  const error = await settlement.settle(run, { kind: 'failed', failure }).then(
    () => expect.unreachable('it is completed'),
    (thrown: Error & { code?: string }) => thrown,
  )
  return { name: error.name, message: error.message, code: error.code, moved }
}

const failure = (kind: Failure['kind'], more: Partial<Failure> = {}): Failure => ({
  kind,
  name: 'Error',
  message: 'declined',
  ...more,
})

describe('after the abort of a shutdown', () => {
  it.each([
    ['an error is handed back', failure('error'), 'WaitingError', ['wait']],
    ['Unrecoverable fails for good', failure('unrecoverable'), 'UnrecoverableError', []],
    ['Cancel fails for good', failure('cancel'), 'UnrecoverableError', []],
    ['Snooze is delayed', failure('snooze', { delay: 5 }), 'DelayedError', ['delayed']],
    ['Retry uses an attempt', failure('retry', { name: 'Retry', delay: 5 }), 'Retry', []],
    [
      'a job that its processor moved stays there',
      failure('error', { name: 'DelayedError' }),
      'DelayedError',
      [],
    ],
    [
      "BullMQ's own UnrecoverableError fails for good",
      failure('error', { name: 'UnrecoverableError' }),
      'UnrecoverableError',
      [],
    ],
  ])('%s', async (_what, failed, name, moved) => {
    expect(await settled(failed, 'shutdown')).toMatchObject({ name, moved })
  })
})

it('fails for good what the runtime refused, and not what only has the code of a refusal', async () => {
  const refused = failure('error', { name: 'ArgsError', code: 'ARGS_INVALID' })
  expect(await settled({ ...refused, final: true })).toMatchObject({ name: 'UnrecoverableError' })
  expect(await settled(refused)).toMatchObject({ name: 'ArgsError' })
})

it('keeps the code of what fails for good', async () => {
  expect(await settled(failure('cancel'))).toMatchObject({ code: 'JOB_CANCELLED' })
  expect(await settled(failure('unrecoverable', { code: 'CARD_DECLINED' }))).toMatchObject({
    code: 'CARD_DECLINED',
  })
  expect(await settled(failure('unrecoverable'))).toMatchObject({ code: undefined })
})

import { describe, expect, it } from 'vitest'
import { judge, type Verdict } from '../../src/fleet/blame.ts'
import type { ExecutorExit } from '../../src/fleet/port.ts'
import type { Failure } from '../../src/fleet/protocol.ts'
import type { Run } from '../../src/fleet/run.ts'

/** Only what a judge looks at. */
const runOf = (seq: number, alone = false) => ({ seq, alone, job: { name: `job-${seq}` } }) as Run

const [one, two, three] = [runOf(1), runOf(2), runOf(3)] as [Run, Run, Run]
const alone = runOf(4, true)
const KILLED: ExecutorExit = { cause: 'signal', signal: 'SIGSEGV', message: 'was ended by SIGSEGV' }
const said = (seq: number | null): ExecutorExit => ({
  cause: 'exit',
  code: 1,
  message: 'exited with code 1',
  words: { cause: 'exit', seq, message: 'called process.exit(1)', stack: 'at handler.ts:3' },
})
const failure: Failure = { kind: 'error', name: 'TimeoutError', code: 'JOB_TIMEOUT', message: 'too long' }
const timeout: Verdict = { reason: 'two did not stop', culprit: { run: two, failure } }

const CASES: [string, Run[], ExecutorExit, Verdict | undefined, string[]][] = [
  [
    'ended for a timeout: its run fails, no crash is counted',
    [one, two],
    KILLED,
    timeout,
    ['back', 'failed'],
  ],
  ['ended for no run, as at shutdown: all go back', [one, two], KILLED, { reason: 'TERM' }, ['back', 'back']],
  ['ended for a run that just ended: all go back', [one, three], KILLED, timeout, ['back', 'back']],
  ['it named its culprit', [one, two, three], said(2), undefined, ['back', 'guilty', 'back']],
  ['it named a run that had ended before', [one, three], said(2), undefined, ['suspect', 'suspect']],
  ['it named a run that had ended before, one is left', [one], said(2), undefined, ['suspect']],
  ['it named a run that had ended before, one ran alone', [alone], said(2), undefined, ['back']],
  ['it spoke outside of any run, with one run', [one], said(null), undefined, ['guilty']],
  ['it spoke outside of any run, with two runs', [one, two], said(null), undefined, ['suspect', 'suspect']],
  ['it said nothing, with one run', [one], KILLED, undefined, ['guilty']],
  [
    'it said nothing, with three runs',
    [one, two, three],
    KILLED,
    undefined,
    ['suspect', 'suspect', 'suspect'],
  ],
  ['it held nothing', [], KILLED, undefined, []],
]

describe('judge', () => {
  it.each(CASES)('%s', (_what, runs, exit, verdict, expected) => {
    const judgements = judge(runs, exit, verdict)
    expect(judgements.map(({ run }) => run)).toEqual(runs)
    expect(
      judgements.map(({ outcome, guilty }) => {
        if (outcome.kind === 'failed') return guilty ? 'guilty' : 'failed'
        return outcome.kind === 'handed-back' && outcome.crashed ? 'suspect' : 'back'
      }),
    ).toEqual(expected)
  })

  it('says who did what, and where', () => {
    const [guilty, other] = judge([one, two], said(1), undefined)
    expect(guilty?.outcome).toMatchObject({
      failure: {
        name: 'CrashError',
        code: 'JOB_CRASHED',
        message: 'job-1 called process.exit(1)',
        stack: 'at handler.ts:3',
      },
    })
    expect(other?.outcome).toMatchObject({ reason: 'its executor called process.exit(1)' })
    expect(judge([one], KILLED, undefined)[0]?.outcome).toMatchObject({
      failure: { message: 'job-1 ended its executor, which was ended by SIGSEGV' },
    })
  })
})

/** Waits for one job and says how it ended; Ctrl-C or a timeout ends the waiting, not the job. */
import type { QueueEvents } from 'bullmq'
import { EXIT, RunnerError } from '../../errors.ts'
import { Deadline } from '../../fleet/deadline.ts'
import { formatMilliseconds } from '../../units.ts'
import type { Addition } from '../../enqueue/addition.ts'
import { barDisplay, jsonDisplay, type Display } from './follow-display.ts'
import { watchJob, type Outcome } from '../../enqueue/job-watch.ts'
import type { QueueClient } from '../../enqueue/queue-client.ts'
import type { CliContext } from '../verbs.ts'

export interface Followed extends Addition {
  queue: string
  client: QueueClient
  events: QueueEvents
  context: CliContext
  /** Milliseconds. */
  timeout: number | undefined
  /** Progress and log lines too. */
  shows: boolean
}

/** Throws JOB_FAILED or WAIT_TIMEOUT. After Ctrl-C it says so and returns, with exit code 130. */
export async function follow(job: Followed): Promise<void> {
  const display = job.shows ? displayFor(job.context) : undefined
  const stop = new AbortController()
  const interrupt = () => stop.abort(INTERRUPTED)
  const deadline =
    job.timeout === undefined ? undefined : new Deadline(job.timeout, () => stop.abort(TIMED_OUT))
  process.once('SIGINT', interrupt)
  try {
    const outcome = await watchJob(job.client.queue, job.events, job.id, {
      signal: stop.signal,
      isNew: job.added,
      ...(display && { onEvent: event => display.show(event) }),
    })
    display?.end()
    report(job, outcome, display)
  } catch (reason) {
    display?.end()
    if (reason === TIMED_OUT) throw timedOut(job)
    if (reason !== INTERRUPTED) throw reason
    job.context.note(`no longer followed; ${job.name} ${job.id} goes on`)
    process.exitCode = EXIT.forced
  } finally {
    deadline?.clear()
    process.off('SIGINT', interrupt)
  }
}

const INTERRUPTED = Symbol('interrupted')
const TIMED_OUT = Symbol('timed out')

function displayFor({ format }: CliContext): Display {
  return isScreen(format) ? barDisplay(process.stdout) : jsonDisplay(process.stdout)
}

/** A pseudo-terminal that nobody looks at has no width. */
const isScreen = (format: string): boolean =>
  format === 'text' && process.stdout.isTTY && process.stdout.columns > 0

function report(
  { id, name, queue, added, context, shows }: Followed,
  outcome: Outcome,
  display: Display | undefined,
): void {
  const isStream = shows && !isScreen(context.format)
  if (isStream) display?.show(outcome)
  if (outcome.event === 'failed')
    throw new RunnerError('JOB_FAILED', `${name} ${id} failed: ${outcome.reason}`, {
      details: { id, name, queue, added, reason: outcome.reason },
    })
  const result = outcome.result ?? null
  if (!isStream) context.print(JSON.stringify(result), { id, name, queue, added, result })
}

function timedOut({ id, name, timeout = 0 }: Followed): RunnerError {
  return new RunnerError('WAIT_TIMEOUT', `${name} ${id} has not ended after ${formatMilliseconds(timeout)}`, {
    hint: 'only the waiting has ended: the job goes on',
    details: { id, name },
  })
}

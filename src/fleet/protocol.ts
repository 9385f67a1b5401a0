/**
 * What a supervisor and an executor say to each other: records of text.
 *
 * A record is a kind letter, a JSON head, and sometimes a body after the first line feed (a head, written by
 * JSON.stringify, contains none). The body of a start is the payload exactly as it stands in Redis: the supervisor
 * never parses it, the executor parses it once. A payload that is not JSON fails its own job and nothing else.
 *
 * Text, because structured cloning of one object per job costs more than most jobs (bench/).
 */

/** Supervisor to executor. */
export const TO = {
  /** head: StartHead, body: payload */
  start: 'S',
  /** head: [seq, AbortCause, message] */
  abort: 'A',
  /** head: [call, error?], body: JSON result */
  answer: 'R',
  /** Answered by `closed`: applications run the hooks of their end. */
  close: 'Q',
} as const

/** Executor to supervisor. */
export const FROM = {
  /** head: seq, body: JSON result (absent: undefined) */
  done: 'D',
  /** head: seq, body: Failure */
  failed: 'F',
  /** head: seq, body: Progress or whatever updateProgress was given */
  progress: 'P',
  /** head: seq, body: one line for the job's log */
  log: 'L',
  /** head: seq, body: PartProgress. Of a migration. */
  migrated: 'G',
  /** head: [call, seq, method, trace?], body: JSON array of arguments */
  call: 'C',
  /** body: the JobFile that is imported next */
  loading: 'I',
  /** body: Manifest. Sent once. */
  ready: 'M',
  /** body: DyingWords. The last record of an executor that can still speak. */
  dying: 'X',
  /** head: seq, body: a pino line for the process log */
  line: 'N',
  /** Nothing that is to be ended in good order is left. */
  closed: 'Q',
} as const

/** [seq, job name, job id, queue, attempt, fence, extra?, trace?]; the trace as headers in JSON. */
export type StartHead = [
  seq: number,
  name: string,
  id: string,
  queue: string,
  attempt: number,
  fence: number,
  sandbox?: SandboxFields | null,
  trace?: string,
]

/** Further fields of a BullMQ sandbox job, only sent for handlers that are plain functions. */
export interface SandboxFields {
  opts: Record<string, unknown>
  attemptsMade: number
  timestamp: number
  processedOn?: number
  delay: number
  priority: number
  stalledCounter: number
  progress: unknown
  parentKey?: string
  parent?: unknown
  repeatJobKey?: string
  token: string
  prefix: string
}

/** The trace is that of the code that calls, as headers in JSON. */
export type CallHead = [call: number, seq: number, method: string, trace?: string]

export type AbortCause = 'timeout' | 'shutdown' | 'cancelled' | 'superseded'

/** Why a call of a handler was refused. */
export interface CallError {
  name: string
  message: string
  code?: string
}

/** A child of a job; `json` is what it returned, as it stands in Redis. */
export interface ChildText {
  name?: string
  id: string
  queue: string
  state: 'completed' | 'failed' | 'pending'
  json?: string
  error?: string
}

/** How a run ended otherwise than by returning. */
export interface Failure {
  kind: 'error' | 'retry' | 'snooze' | 'cancel' | 'unrecoverable'
  name: string
  message: string
  stack?: string
  code?: string
  details?: unknown
  /** Milliseconds, of `retry` and `snooze`. */
  delay?: number
  /** Trying again cannot mend it: the runtime itself refused the payload or the result of this job. */
  final?: true
  /** Of a crash, when it is known better than that the executor is gone. */
  cause?: 'out of memory'
}

/** Who ended the executor, as far as it could tell. `seq` is the run in whose async context it happened. */
export interface DyingWords {
  cause: 'exit' | 'uncaught'
  seq: number | null
  /** Name and id of its job: the run may have ended before, and then nobody else knows them. */
  job?: string
  message: string
  stack?: string
  exitCode?: number
}

export interface WireRecord {
  kind: string
  head: string
  body: string | undefined
}

export function record(kind: string, head: string | number, body?: string): string {
  return body === undefined ? `${kind}${head}` : `${kind}${head}\n${body}`
}

export function readRecord(text: string): WireRecord {
  const feed = text.indexOf('\n')
  return feed === -1
    ? { kind: text[0] ?? '', head: text.slice(1), body: undefined }
    : { kind: text[0] ?? '', head: text.slice(1, feed), body: text.slice(feed + 1) }
}

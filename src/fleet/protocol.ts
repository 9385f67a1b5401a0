/**
 * What a supervisor and an executor say to each other: one string per batch, records split by RS (0x1e).
 *
 * A record is a kind letter, a JSON head, and sometimes a body after the first line feed. JSON text never
 * contains a raw RS (control characters are escaped in strings), and a head never contains a raw line feed, so
 * neither needs escaping. The body of a start is the payload exactly as it stands in Redis: the supervisor never
 * parses it, the executor parses it once. A payload that is not JSON therefore fails its own job and nothing else.
 *
 * Strings, because structured cloning of one object per job costs more than the job (bench/: protocol).
 */

const RS = '\x1e'

/** Supervisor to executor. */
export const TO = {
  /** head: StartHead, body: payload */
  start: 'S',
  /** head: [seq, AbortCause, message] */
  abort: 'A',
  /** head: [call, error?], body: JSON result */
  answer: 'R',
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
  /** head: [call, seq, method], body: JSON array of arguments */
  call: 'C',
  /** body: Manifest. Sent once. */
  ready: 'M',
  /** body: DyingWords. The last record of an executor that can still speak. */
  dying: 'X',
  /** head: seq, body: a pino line for the process log */
  line: 'N',
} as const

/** [seq, job name, job id, queue, attempt, fence, extra?] */
export type StartHead = [
  seq: number,
  name: string,
  id: string,
  queue: string,
  attempt: number,
  fence: number,
  sandbox?: SandboxFields,
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

export type AbortCause = 'timeout' | 'shutdown' | 'cancelled' | 'lock-lost'

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
}

/** Who ended the executor, as far as it could tell. `seq` is the run in whose async context it happened. */
export interface DyingWords {
  cause: 'exit' | 'uncaught'
  seq: number | null
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

export function* readBatch(batch: string): Generator<WireRecord> {
  for (const text of batch.split(RS)) {
    const feed = text.indexOf('\n')
    yield {
      kind: text[0] ?? '',
      head: feed === -1 ? text.slice(1) : text.slice(1, feed),
      body: feed === -1 ? undefined : text.slice(feed + 1),
    }
  }
}

/**
 * Collects records and sends them as one batch. With `soon` (the other side is idle and waits for just this) the
 * batch leaves in a microtask; else once per turn of the event loop, which is what makes high concurrency cheap.
 */
export class Outbox {
  #records: string[] = []
  #microtask = false
  #turn = false
  readonly #send: (batch: string) => void

  constructor(send: (batch: string) => void) {
    this.#send = send
  }

  push(text: string, soon: boolean): void {
    this.#records.push(text)
    if (soon) {
      if (this.#microtask) return
      this.#microtask = true
      queueMicrotask(this.flush)
    } else if (!this.#turn && !this.#microtask) {
      this.#turn = true
      setImmediate(this.#onTurn)
    }
  }

  readonly #onTurn = () => {
    this.#turn = false
    this.flush()
  }

  readonly flush = (): void => {
    this.#microtask = false
    if (this.#records.length === 0) return
    const batch = this.#records.length === 1 ? (this.#records[0] as string) : this.#records.join(RS)
    this.#records = []
    this.#send(batch)
  }
}

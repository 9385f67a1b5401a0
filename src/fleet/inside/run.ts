/** One run of one job inside an executor, and the async context that names it. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { AbortCause, SandboxFields, StartHead } from '../protocol.ts'
import { WHERE, type Whereabouts } from '../sight.ts'

export class Run {
  readonly seq: number
  readonly name: string
  readonly id: string
  readonly queue: string
  readonly attempt: number
  readonly fence: number
  readonly sandbox: SandboxFields | undefined
  /** What it belongs to, as headers in JSON. */
  readonly trace: string | undefined
  /** The payload as parsed from Redis, before the schema. */
  readonly data: unknown
  #controller: AbortController | undefined
  #reason: AbortReason | undefined
  /** Most handlers leave nothing. */
  #left: (() => void)[] | undefined

  constructor([seq, name, id, queue, attempt, fence, sandbox, trace]: StartHead, data: unknown) {
    this.seq = seq
    this.name = name
    this.id = id
    this.queue = queue
    this.attempt = attempt
    this.fence = fence
    this.sandbox = sandbox ?? undefined
    this.trace = trace
    this.data = data
  }

  /** Made on first use: most handlers never ask for it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  get aborted(): AbortReason | undefined {
    return this.#reason
  }

  /** `close` is called when the run is over, however it ends. */
  leave(close: () => void): void {
    ;(this.#left ??= []).push(close)
  }

  end(): void {
    this.#left?.forEach(close => close())
  }

  abort(cause: AbortCause, message: string): void {
    this.#reason ??= new AbortReason(cause, message)
    this.#controller?.abort(this.#reason)
  }
}

/** `signal.reason`: an AbortError, as fetch and streams throw it on, with the cause as code. */
export class AbortReason extends Error {
  override name = 'AbortError'
  readonly code: AbortCause
  constructor(cause: AbortCause, message: string) {
    super(message)
    this.code = cause
  }
}

/** Follows a run through every await, timer and event of its handler: that is how a culprit is told. */
export const currentRun = new AsyncLocalStorage<Run>()

/** Called by the watchdog in the paused frame of a handler that holds the loop. */
Object.defineProperty(globalThis, WHERE, {
  value: (): string => {
    const run = currentRun.getStore()
    if (run === undefined) return 'null'
    const { seq, name, id, queue } = run
    return JSON.stringify({ seq, name, id, queue } satisfies Whereabouts)
  },
})

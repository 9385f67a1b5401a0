/**
 * How `runner serve` stops: nothing new is begun, and what runs is waited for. It keeps listening meanwhile, or nobody
 * could be told that it is not ready any more.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { MiddlewareHandler } from 'hono'
import { nodeOf } from './node-request.ts'
import { Problem } from './problem.ts'

/** Milliseconds that requests have, after the grace, to take back what they had begun. */
const END_MS = 5_000

export class Drain {
  readonly #stopping = new AbortController()
  readonly #ending = new AbortController()
  readonly #running = new Set<object>()
  #idle: (() => void) | undefined

  /** Aborted when it begins to stop: for what has no end of its own. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /** Aborted at the end of the grace: for what would have had one. */
  get ending(): AbortSignal {
    return this.#ending.signal
  }

  get running(): number {
    return this.#running.size
  }

  /** Requests that pass are waited for, to the last byte of their answer; new ones are turned away once it stops. */
  readonly middleware: MiddlewareHandler = async (c, next) => {
    if (this.stopping.aborted)
      throw new Problem(503, 'STOPPING', 'this process is about to end', {
        hint: 'another one may answer: try again',
        retryAfter: 1,
        close: true,
      })
    const token = {}
    this.#running.add(token)
    const done = () => {
      this.#running.delete(token)
      if (this.#running.size === 0) this.#idle?.()
    }
    const { outgoing } = nodeOf(c)
    outgoing?.once('close', done)
    try {
      await next()
    } finally {
      if (outgoing === undefined) done()
    }
  }

  /** Resolves when nothing runs any more, with how many were cut since `grace` milliseconds were over. */
  async stop(grace: number): Promise<number> {
    this.#stopping.abort(new Error('this process is about to end'))
    await this.#untilIdle(grace)
    const cut = this.#running.size
    this.#ending.abort(
      new Problem(503, 'STOPPING', 'this process ends, and the request was not done in time', {
        hint: 'nothing of it is left: try again',
        retryAfter: 1,
        close: true,
      }),
    )
    if (cut > 0) await this.#untilIdle(END_MS)
    return cut
  }

  async #untilIdle(ms: number): Promise<void> {
    if (this.#running.size === 0) return
    const over = new AbortController()
    const idle = new Promise<void>(resolve => (this.#idle = resolve))
    await Promise.race([idle, sleep(ms, undefined, { signal: over.signal }).catch(() => undefined)])
    over.abort()
  }
}

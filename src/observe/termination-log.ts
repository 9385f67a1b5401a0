/**
 * Why a process ended, for who reads it when the process is gone: Kubernetes shows the file as the container's
 * termination message (`kubectl describe pod`). Written anew at each thing that is known, so that the last word stands
 * also when a SIGKILL comes before the end.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { RunnerError, messageOf } from '../errors.ts'
import type { Events } from './events.ts'

/** Made by Kubernetes, where it is. */
const DEFAULT = '/dev/termination-log'
/** Bytes that Kubernetes shows. */
const MOST = 4_096

export class TerminationLog {
  readonly #file: string | undefined
  readonly #onError: (message: string) => void
  #reason = ''
  #isTold = false

  /** `file` undefined: that of Kubernetes, where there is one. A file that cannot be written is told once, to `onError`. */
  constructor(file: string | undefined, onError: (message: string) => void) {
    this.#file = file ?? (existsSync(DEFAULT) ? DEFAULT : undefined)
    this.#onError = onError
  }

  /** `running`: what runs when it begins to stop, in words. Also of a crash of this process, which ends it as before. */
  follow(events: Events, running: () => string): Disposable {
    events.on('fleet.stopping', ({ reason }) => {
      const what = running()
      this.#reason = what === '' ? reason : `${reason}; ${what}`
      this.write(this.#reason)
    })
    events.on('fleet.stopped', ({ completed, failed, handedBack }) =>
      this.write(`${this.#reason}; ${completed} completed, ${failed} failed, ${handedBack} handed back`),
    )
    const onCrash = (error: unknown) => this.write(`crashed: ${stackOf(error)}`)
    process.on('uncaughtExceptionMonitor', onCrash)
    return { [Symbol.dispose]: () => void process.off('uncaughtExceptionMonitor', onCrash) }
  }

  /** It could not start, or not go on. */
  fail(error: unknown): void {
    if (!(error instanceof RunnerError)) return this.write(`crashed: ${stackOf(error)}`)
    const hint = error.hint === undefined ? '' : `\nhint: ${error.hint}`
    this.write(`${error.code} ${error.message}${hint}`)
  }

  /** In the place of what was written before. At once: there may be no later. */
  write(text: string): void {
    if (this.#file === undefined) return
    try {
      writeFileSync(this.#file, shorten(`${text}\n`))
    } catch (error) {
      if (this.#isTold) return
      this.#isTold = true
      this.#onError(`the reason of the end cannot be written: ${messageOf(error)}`)
    }
  }
}

/** Without half a letter at the end. */
function shorten(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length <= MOST) return bytes
  return Buffer.from(
    bytes
      .subarray(0, MOST)
      .toString()
      .replace(/\uFFFD$/, ''),
  )
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

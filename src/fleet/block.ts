/**
 * One block: a stretch of time in which the event loop of an executor did not turn, from when it was noticed until the
 * loop turns again or the executor is ended. What is known of it grows: first only that it is, then whose it is.
 */
import { fileURLToPath } from 'node:url'
import { BlockedError } from '../errors.ts'
import { shortPath } from '../job/file-path.ts'
import { formatMilliseconds } from '../units.ts'
import type { Executor } from './executor.ts'
import type { Failure } from './protocol.ts'
import type { Run } from './run.ts'
import type { Sighting, Whereabouts } from './sight.ts'

/** Frames of Node and of the executor itself say nothing to the author of a handler. */
const INSIDE = new URL('./inside/', import.meta.url).href
const isTheirs = ({ url }: { url: string }) =>
  url !== '' && !url.startsWith('node:') && !url.startsWith(INSIDE)
const LIBRARY = /\/node_modules\//

export class Block {
  readonly executor: Executor
  /** By performance.now(). */
  readonly since: number
  /** What the executor held when it was noticed: a run may have ended by the time that its native call is told. */
  readonly #held: ReadonlyMap<number, Run>
  #sighting: Sighting | undefined
  reported = false
  /** It lasts so long that a plain worker would have lost its job. */
  plainWorkerLost = false
  /** Its executor is being ended for it. */
  ending = false
  /** No stack could be had while it lasted: the loop was held by a call into native code. */
  native = false

  constructor(executor: Executor, since: number) {
    this.executor = executor
    this.since = since
    this.#held = new Map(executor.runs)
  }

  saw(sighting: Sighting): void {
    this.#sighting = sighting
  }

  /** As much is known of it as can be while it lasts. */
  get isKnown(): boolean {
    return this.native || this.#sighting !== undefined
  }

  /**
   * The job that holds the loop. Without a stack it is known only of an executor that holds one run; a stack that is
   * nobody's clears that one too, unless it came late, from after the call.
   */
  get job(): Whereabouts | undefined {
    if (this.#sighting?.run) return this.#sighting.run
    if (this.#sighting !== undefined && !this.native) return undefined
    const [only, ...others] = this.#held.values()
    if (only === undefined || others.length > 0) return undefined
    const { seq, job } = only
    return { seq, name: job.name, id: job.id, queue: job.queueName }
  }

  /** Its run, which may have ended; undefined when what it left behind (a timer) blocks. */
  get run(): Run | undefined {
    return this.job === undefined ? undefined : this.#held.get(this.job.seq)
  }

  /** `jobs/report.ts:12:5`: the innermost line of the project's own code, or else of any. */
  get at(): string | undefined {
    const frames = this.#sighting?.frames.filter(isTheirs) ?? []
    const frame = frames.find(({ url }) => !LIBRARY.test(url)) ?? frames[0]
    return frame === undefined ? undefined : `${pathOf(frame.url)}:${frame.line}:${frame.column}`
  }

  /** As an Error has it, without the first line. */
  get stack(): string | undefined {
    return this.#sighting?.frames
      .filter(isTheirs)
      .map(
        ({ name, url, line, column }) =>
          `    at ${name === '' ? '<anonymous>' : name} (${url}:${line}:${column})`,
      )
      .join('\n')
  }

  /** 'at jobs/report.ts:12:5', 'in native code', and once the call has returned, 'in native code called at ...'. */
  get where(): string {
    const at = this.at
    if (!this.native) return at === undefined ? 'outside of any job file' : `at ${at}`
    if (at === undefined) return 'in native code'
    // Node's own functions that call into native code (execSync, pbkdf2Sync) are still on the stack when it returns;
    // those of the language (JSON.parse) have left it, and the next function or loop is where the thread was stopped.
    const inside = this.#sighting?.frames[0]?.url.startsWith('node:') === true
    return inside ? `in native code called at ${at}` : `in native code that returned to ${at}`
  }

  /** How its run fails when the block reaches its limit. */
  failure(limit: number): Failure {
    const message = `${this.job?.name ?? 'a job'} held its event loop longer than block.limit (${formatMilliseconds(limit)}), ${this.where}`
    const { name, code } = new BlockedError(message)
    const failure: Failure = { kind: 'error', name, code, message }
    const stack = this.stack
    if (stack !== undefined && stack !== '') failure.stack = `${name}: ${message}\n${stack}`
    return failure
  }
}

function pathOf(url: string): string {
  return url.startsWith('file:') ? shortPath(fileURLToPath(url)) : url
}

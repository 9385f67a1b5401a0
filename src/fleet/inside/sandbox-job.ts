/**
 * What a plain function is called with: `ctx`, and at the same time the job object of BullMQ's sandbox, so that
 * a processor file of an existing fleet runs unchanged. The two shapes overlap only in `log` and `progress`: `log`
 * can be called and has pino's methods; `progress` is ctx's function.
 *
 * Unlike in BullMQ's sandbox, promises of `log`, `updateProgress` and `updateData` resolve when Redis has the value.
 */
import { Context } from './context.ts'
import type { Run } from './run.ts'
import type { Voice } from './voice.ts'

export class SandboxJob extends Context {
  readonly #run: Run
  readonly #voice: Voice
  data: unknown

  constructor(run: Run, args: unknown, voice: Voice) {
    super(run, args, voice)
    this.#run = run
    this.#voice = voice
    this.data = args
    const fields = run.sandbox
    if (fields !== undefined) {
      const { token: _token, prefix: _prefix, progress: _progress, ...rest } = fields
      Object.assign(this, rest)
    }
  }

  get token(): string {
    return this.#run.sandbox?.token ?? ''
  }
  get prefix(): string {
    return this.#run.sandbox?.prefix ?? ''
  }
  get queueName(): string {
    return this.queue
  }
  get queueQualifiedName(): string {
    return `${this.prefix}:${this.queue}`
  }
  get attemptsStarted(): number {
    return this.fence
  }

  updateProgress(value: unknown): Promise<unknown> {
    return this.#call('updateProgress', value)
  }
  async updateData(data: unknown): Promise<void> {
    await this.#call('updateData', data)
    this.data = data
  }
  moveToDelayed(timestamp: number, _token?: string): Promise<unknown> {
    return this.#call('moveToDelayed', timestamp)
  }
  moveToWait(_token?: string): Promise<unknown> {
    return this.#call('moveToWait')
  }
  moveToWaitingChildren(_token?: string, options: unknown = {}): Promise<unknown> {
    return this.#call('moveToWaitingChildren', options)
  }
  getChildrenValues(): Promise<unknown> {
    return this.#call('getChildrenValues')
  }
  getIgnoredChildrenFailures(): Promise<unknown> {
    return this.#call('getIgnoredChildrenFailures')
  }
  getDependencies(options: unknown = {}): Promise<unknown> {
    return this.#call('getDependencies', options)
  }
  getDependenciesCount(options: unknown = {}): Promise<unknown> {
    return this.#call('getDependenciesCount', options)
  }
  /** The supervisor renews the lock by itself, so this only answers whether it is still held. */
  extendLock(_token: string, duration: number): Promise<unknown> {
    return this.#call('extendLock', duration)
  }

  #call(method: string, ...args: unknown[]): Promise<unknown> {
    return this.#voice.call(this.#run, method, args)
  }
}

/** Rings for the parts of runs that nobody does, as long as a replica lives. */
import { Worker } from 'node:worker_threads'
import type { ExecutorSettings } from '../job/executor-settings.ts'
import { importFlags } from '../job/import-flags.ts'
import type { Bell } from './reconciliation.ts'

/** Milliseconds between two looks. */
const EVERY = 5_000

export type FromReconciler = { bells: Bell[] } | { error: string }

const THREAD = new URL(
  `./reconciler-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
)

export class Reconciler {
  readonly #thread: Worker

  constructor(settings: ExecutorSettings, onBell: (bell: Bell) => void, onError: (message: string) => void) {
    this.#thread = new Worker(THREAD, { workerData: { settings, every: EVERY }, execArgv: importFlags() })
    this.#thread.unref()
    this.#thread.on('message', (message: FromReconciler) => {
      if ('error' in message) onError(message.error)
      else message.bells.forEach(onBell)
    })
    this.#thread.on('error', (error: Error) => onError(error.message))
  }

  async close(): Promise<void> {
    await this.#thread.terminate()
  }
}

/** The loop of the live view: a frame now and then, and at once after a key. Nothing waits for Redis but the next frame. */
import { messageOf } from '../../errors.ts'
import { formatMilliseconds } from '../../units.ts'
import { perform, type ActionTools } from './actions.ts'
import { frame } from './frame.ts'
import { Screen, type Terminal } from './screen.ts'
import type { Snapshot } from '../../steering/snapshot.ts'
import { onKey, type Action, type View } from './view.ts'

export interface LiveViewOptions {
  terminal: Terminal
  view: View
  /** Milliseconds between two frames. */
  every: number
  take: () => Promise<Snapshot>
  tools: Omit<ActionTools, 'signal' | 'say'>
}

/** Milliseconds after which a Redis that does not answer is told of. */
const SILENT = 4_000

const NOTHING: Omit<Snapshot, 'at'> = { queues: [], running: [], replicas: [], migrations: [] }

export class LiveView {
  readonly #options: LiveViewOptions
  readonly #screen: Screen
  readonly #over = new AbortController()
  #view: View
  #snapshot: Snapshot = { at: Date.now(), ...NOTHING }
  #timer: NodeJS.Timeout | undefined
  /** By performance.now(), while Redis is asked. */
  #takingSince: number | undefined

  constructor(options: LiveViewOptions) {
    this.#options = options
    this.#view = options.view
    this.#screen = new Screen(
      options.terminal,
      key => this.#onKey(key),
      () => this.#draw(),
    )
  }

  /** Until somebody quits, or a signal ends it. The terminal is as before then, whatever happened. */
  async run(): Promise<void> {
    const quit = () => this.#over.abort()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, quit)
    this.#screen.open()
    try {
      this.#draw()
      void this.#refresh()
      this.#timer = setInterval(() => void this.#refresh(), this.#options.every)
      const { signal } = this.#over
      if (!signal.aborted)
        await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
    } finally {
      clearInterval(this.#timer)
      this.#screen.close()
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, quit)
    }
  }

  async #refresh(): Promise<void> {
    // A Redis that is slow to answer is asked once.
    if (this.#takingSince !== undefined) {
      this.#doubt(this.#takingSince)
      return
    }
    this.#takingSince = performance.now()
    try {
      this.#snapshot = await this.#options.take()
      this.#view = { ...this.#view, stale: '' }
    } catch (error) {
      this.#view = { ...this.#view, stale: `not read: ${messageOf(error)}` }
    } finally {
      this.#takingSince = undefined
    }
    this.#draw()
  }

  /** What is shown is old, and looks as if all were well. */
  #doubt(since: number): void {
    const silent = performance.now() - since
    if (silent < Math.max(SILENT, 3 * this.#options.every)) return
    const stale = `not read: no answer for ${formatMilliseconds(Math.round(silent / 1_000) * 1_000)}`
    this.#view = { ...this.#view, stale }
    this.#draw()
  }

  #onKey(key: string): void {
    const { view, action, quit } = onKey(this.#view, this.#snapshot, key)
    this.#view = view
    if (quit === true) this.#over.abort()
    else if (action !== undefined) void this.#act(action)
    this.#draw()
  }

  async #act(action: Action): Promise<void> {
    const say = (message: string) => {
      this.#view = { ...this.#view, message }
      this.#draw()
    }
    say(await perform(action, { ...this.#options.tools, signal: this.#over.signal, say }))
    await this.#refresh()
  }

  #draw(): void {
    if (this.#over.signal.aborted) return
    this.#screen.draw(frame(this.#snapshot, this.#view, this.#screen.columns, this.#screen.rows))
  }
}

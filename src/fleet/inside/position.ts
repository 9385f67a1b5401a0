/** How far `ctx.chunks` has come: a number of rows, kept in Redis as a step of a reserved name. */
import type { Run } from './run.ts'
import { RESERVED, keepStep, keptStep } from './step.ts'
import type { Voice } from './voice.ts'

/** A write for every chunk would cost more than many chunks do. In milliseconds. */
const KEEP_EVERY = 500

export class Position {
  /** Rows that `fn` is done with. */
  done = 0
  readonly #run: Run
  readonly #voice: Voice
  readonly #name: string
  #kept = 0
  #keptAt = performance.now()

  private constructor(run: Run, voice: Voice, name: string) {
    this.#run = run
    this.#voice = voice
    this.#name = RESERVED + name
  }

  /** As the last run of this job kept it, or 0. */
  static async open(run: Run, voice: Voice, name: string): Promise<Position> {
    const position = new Position(run, voice, name)
    position.done = position.#kept = ((await keptStep(run, voice, position.#name)) ?? 0) as number
    return position
  }

  /** Waits for Redis when it is time to keep it. */
  async advance(rows: number): Promise<void> {
    this.done += rows
    if (performance.now() - this.#keptAt >= KEEP_EVERY) await this.keep()
  }

  async keep(): Promise<void> {
    if (this.done === this.#kept) return
    const { done } = this
    await keepStep(this.#run, this.#voice, this.#name, String(done))
    this.#kept = done
    this.#keptAt = performance.now()
  }
}

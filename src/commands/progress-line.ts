/** How far something long is: one line that changes on a terminal, and a line now and then elsewhere. On stderr. */
import { createLogUpdate } from 'log-update'

const ON_TERMINAL = 100
const ELSEWHERE = 5_000

export class ProgressLine {
  readonly #screen = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined
  readonly #note: (line: string) => void
  #shownAt = performance.now()

  constructor(note: (line: string) => void) {
    this.#note = note
  }

  show(text: string): void {
    const every = this.#screen === undefined ? ELSEWHERE : ON_TERMINAL
    if (performance.now() - this.#shownAt < every) return
    this.#shownAt = performance.now()
    if (this.#screen === undefined) this.#note(text)
    else this.#screen(text)
  }

  close(): void {
    this.#screen?.clear()
  }
}

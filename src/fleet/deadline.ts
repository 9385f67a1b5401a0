/**
 * A timer that keeps any duration. Node's own counts in 32 bits and lets what is longer than 24.8 days fire at once:
 * a job with a timeout of '30d' would be aborted as it starts.
 */
const LONGEST = 2 ** 31 - 1

export class Deadline {
  #timer: NodeJS.Timeout

  constructor(ms: number, onDue: () => void) {
    this.#timer = this.#arm(ms, onDue)
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  #arm(ms: number, onDue: () => void): NodeJS.Timeout {
    if (ms <= LONGEST) return setTimeout(onDue, ms)
    return setTimeout(() => (this.#timer = this.#arm(ms - LONGEST, onDue)), LONGEST)
  }
}

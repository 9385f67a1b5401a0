/**
 * Memory of parts that are filled or on their way, for all files of a store together. Each file has the one buffer that it
 * fills; more, so that it can be filled while others are sent, only as long as all of them stay within the budget. So many
 * slow uploads hold a part each, and a few fast ones have `queue` parts on their way.
 */
const BUDGET = 192 * 1024 * 1024
/** Kept for the next file, of the size that nearly all have. */
const KEPT = 8

export class PartBuffers {
  readonly #usual: number
  readonly #budget: number
  #free: Buffer[] = []
  #bytes = 0

  constructor(usual: number, budget = BUDGET) {
    this.#usual = usual
    this.#budget = budget
  }

  /** Bytes that are in use. */
  get bytes(): number {
    return this.#bytes
  }

  /** Undefined: it has to wait for one of its own. */
  take(size: number, isOnly: boolean): Buffer | undefined {
    if (!isOnly && this.#bytes + size > this.#budget) return undefined
    this.#bytes += size
    const kept = size === this.#usual ? this.#free.pop() : undefined
    // Never of the pool that small buffers share: that would hold more than what is asked for.
    return kept ?? Buffer.allocUnsafeSlow(size)
  }

  /** `isClean`: nothing reads from it any more. Else it is left to whoever does. */
  give(buffer: Buffer, isClean: boolean): void {
    this.#bytes -= buffer.length
    if (isClean && buffer.length === this.#usual && this.#free.length < KEPT) this.#free.push(buffer)
  }
}

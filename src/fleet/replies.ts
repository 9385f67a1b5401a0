/**
 * How many answers of Redis the workers wait for. While there are some, the supervisor is about to be woken anyhow, and
 * looks then at what its executors have said: they need not wake it a second time.
 */
export class Replies {
  readonly #onReply: () => void
  #awaited = 0

  /** `onReply` is called at each answer. */
  constructor(onReply: () => void) {
    this.#onReply = onReply
  }

  /**
   * Whether an answer is so near that news can wait for it. Not at the last one: with nothing else in its queue, Redis
   * would idle until that answer has been here and what waited for it has got there.
   */
  get areDue(): boolean {
    return this.#awaited > 1
  }

  async await<T>(reply: Promise<T>): Promise<T> {
    this.#awaited++
    try {
      return await reply
    } finally {
      this.#awaited--
      this.#onReply()
    }
  }
}

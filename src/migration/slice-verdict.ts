/** Thrown inside a transaction to roll it back on purpose. */
export class Verdict extends Error {
  /** 'stop': the run does not go on. 'retry': the next batch is to be cut anew. */
  readonly #verdict: 'stop' | 'retry'

  constructor(verdict: 'stop' | 'retry') {
    super(verdict)
    this.#verdict = verdict
  }

  get end(): 'stop' | undefined {
    return this.#verdict === 'stop' ? 'stop' : undefined
  }
}

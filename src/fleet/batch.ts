/**
 * Records to and from a child process, sent as one string per turn of the event loop: an IPC message costs a system
 * call at each end. Records are split by RS (0x1e), which JSON text never contains raw; a payload in Redis that is
 * not JSON and contains one is made a broken record, and fails its own job like any payload that is not JSON.
 */
const RS = '\x1e'

export class Outbox {
  #records: string[] = []
  readonly #send: (batch: string) => void

  constructor(send: (batch: string) => void) {
    this.#send = send
  }

  push(text: string): void {
    this.#records.push(text.includes(RS) ? text.replaceAll(RS, ' ') : text)
    if (this.#records.length === 1) setImmediate(this.flush)
  }

  readonly flush = (): void => {
    if (this.#records.length === 0) return
    const batch = this.#records.join(RS)
    this.#records = []
    this.#send(batch)
  }
}

export function splitBatch(batch: string): string[] {
  return batch.split(RS)
}

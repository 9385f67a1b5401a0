/**
 * One direction of a wire between two threads: a byte ring in shared memory with one writer and one reader.
 *
 * A message costs a copy of its bytes and two atomic stores; a MessagePort costs a serialisation, a lock, an
 * eventfd write, a wake-up and an event. At one job at a time that difference is a third of the throughput
 * (bench/: wire).
 *
 * Layout: a header of three words in cache lines of their own (written: bytes ever put in, taken: bytes ever taken
 * out, asleep: how the reader wants to be woken), then the data. A frame is its length in 4 bytes and its UTF-8 bytes,
 * padded to 4, never wrapped round the end: WRAP says "go on at the start", ASIDE "the next message lies in the side
 * channel". Counters wrap at 2^32, which their differences do not mind.
 */

const WRITTEN = 0
const TAKEN = 16
const ASLEEP = 32
const HEADER = 48 * 4
/** What stands in the word ASLEEP. Awake also means: will look without being told. */
const AWAKE = 0
const IN_LOOP = 1
const NAPPING = 2
const WRAP = 0xffff_ffff
const ASIDE = 0xffff_fffe

/** Bytes of data. A power of two: positions are counters masked by it. */
const CAPACITY = 256 * 1024
/** Longer texts, in UTF-16 units, go aside: a ring should hold many. */
export const LONGEST = CAPACITY / 16

export class Ring {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #view: DataView
  readonly #bytes: Buffer

  constructor(memory = new SharedArrayBuffer(HEADER + CAPACITY)) {
    this.memory = memory
    this.#words = new Int32Array(memory, 0, HEADER / 4)
    this.#view = new DataView(memory, HEADER)
    this.#bytes = Buffer.from(memory as unknown as ArrayBuffer, HEADER)
  }

  /** Writer. False when there is no room now. */
  write(text: string): boolean {
    // UTF-8 of a UTF-16 unit takes three bytes at most.
    const at = this.#reserve(4 + text.length * 3)
    if (at === undefined) return false
    const length = this.#bytes.write(text, at + 4)
    this.#view.setUint32(at, length, true)
    this.#publish(4 + ((length + 3) & ~3))
    return true
  }

  /** Writer: says that the next message lies in the side channel, where `put` puts it. False (and nothing put) when full. */
  writeAside(put: () => void): boolean {
    const at = this.#reserve(4)
    if (at === undefined) return false
    put()
    this.#view.setUint32(at, ASIDE, true)
    this.#publish(4)
    return true
  }

  /** Writer: position of `size` free bytes in one piece. */
  #reserve(size: number): number | undefined {
    const written = Atomics.load(this.#words, WRITTEN)
    const free = CAPACITY - ((written - Atomics.load(this.#words, TAKEN)) | 0)
    const at = written & (CAPACITY - 1)
    const toEnd = CAPACITY - at
    if (toEnd >= size) return free >= size ? at : undefined
    if (free < toEnd + size) return undefined
    this.#view.setUint32(at, WRAP, true)
    this.#publish(toEnd)
    return 0
  }

  #publish(size: number): void {
    Atomics.store(this.#words, WRITTEN, (Atomics.load(this.#words, WRITTEN) + size) | 0)
  }

  /** Reader. The next text; null when it lies in the side channel, undefined when there is none. */
  read(): string | null | undefined {
    for (;;) {
      const taken = Atomics.load(this.#words, TAKEN)
      if (taken === Atomics.load(this.#words, WRITTEN)) return undefined
      const at = taken & (CAPACITY - 1)
      const length = this.#view.getUint32(at, true)
      if (length === WRAP) {
        this.#take(taken, CAPACITY - at)
        continue
      }
      if (length === ASIDE) {
        this.#take(taken, 4)
        return null
      }
      const text = this.#bytes.toString('utf8', at + 4, at + 4 + length)
      this.#take(taken, 4 + ((length + 3) & ~3))
      return text
    }
  }

  #take(taken: number, size: number): void {
    Atomics.store(this.#words, TAKEN, (taken + size) | 0)
  }

  /**
   * Reader, before it lets its event loop block. False when something came in meanwhile: then it is still awake.
   * Flag first, look second; the writer writes first and looks at the flag second: one of the two sees the other.
   */
  sleep(): boolean {
    Atomics.store(this.#words, ASLEEP, IN_LOOP)
    if (this.#isEmpty()) return true
    Atomics.store(this.#words, ASLEEP, AWAKE)
    return false
  }

  /**
   * Reader: blocks its whole thread for `ms` at most, without using the CPU. True when there is something to read.
   * A futex wakes a thread in a third of the time, and of the CPU time at both ends, that a MessagePort needs.
   */
  nap(ms: number): boolean {
    Atomics.store(this.#words, ASLEEP, NAPPING)
    const taken = Atomics.load(this.#words, TAKEN)
    Atomics.wait(this.#words, WRITTEN, taken, ms)
    Atomics.store(this.#words, ASLEEP, AWAKE)
    return !this.#isEmpty()
  }

  /** Writer, after a write: wakes a reader that naps; true when it sleeps in its event loop and nobody has rung yet. */
  mustRing(): boolean {
    if (Atomics.load(this.#words, ASLEEP) === AWAKE) return false
    const was = Atomics.exchange(this.#words, ASLEEP, AWAKE)
    if (was === NAPPING) Atomics.notify(this.#words, WRITTEN)
    return was === IN_LOOP
  }

  /** Writer: blocks its thread for `ms`, without using the CPU, while the reader takes what is there. */
  waitForReader(ms: number): void {
    Atomics.wait(this.#words, TAKEN, Atomics.load(this.#words, TAKEN), ms)
  }

  /** Writer: whether the reader has not yet taken everything. */
  get unread(): boolean {
    return !this.#isEmpty()
  }

  #isEmpty(): boolean {
    return Atomics.load(this.#words, TAKEN) === Atomics.load(this.#words, WRITTEN)
  }
}

/**
 * Two rings, one each way, with a doorbell for a reader that sleeps and a side channel for what is too long.
 * Messages arrive in the order they were sent, whichever way they took.
 *
 * A reader that found something looks once more in the next turn of its event loop before it sleeps. Looking out for
 * longer (0.05 to 1 ms, at either end) was tried and made every load slower: Redis wants the core.
 */
import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { LONGEST, Ring } from './ring.ts'

/** Milliseconds between two tries to write into a full ring. */
const FULL = 1

/** What one end of a wire is made of; crosses to a thread. */
export interface WireEnd {
  outgoing: SharedArrayBuffer
  incoming: SharedArrayBuffer
  side: MessagePort
}

export class Wire {
  readonly #out: Ring
  readonly #in: Ring
  readonly #side: MessagePort
  readonly #ring: () => void
  readonly #onText: (text: string) => void
  #backlog: string[] = []
  #looking = false

  /** `ring` makes the other end call `wake()`. */
  constructor(end: WireEnd, ring: () => void, onText: (text: string) => void) {
    this.#out = new Ring(end.outgoing)
    this.#in = new Ring(end.incoming)
    this.#side = end.side
    this.#ring = ring
    this.#onText = onText
    this.#side.unref()
    // Not at once: what is there already may be about the variable that this wire is being assigned to.
    if (!this.#in.sleep()) setImmediate(() => this.wake())
  }

  /** Both ends of a new wire: ours, and the one to transfer. */
  static ends(): [WireEnd, WireEnd] {
    const { port1, port2 } = new MessageChannel()
    const one = new Ring().memory
    const two = new Ring().memory
    return [
      { outgoing: one, incoming: two, side: port1 },
      { outgoing: two, incoming: one, side: port2 },
    ]
  }

  send(text: string): void {
    if (this.#backlog.length > 0 || !this.#write(text)) {
      this.#backlog.push(text)
      if (this.#backlog.length === 1) setTimeout(this.#retry, FULL)
      return
    }
    if (this.#out.mustRing()) this.#ring()
  }

  #write(text: string): boolean {
    if (text.length <= LONGEST) return this.#out.write(text)
    return this.#out.writeAside(() => this.#side.postMessage(text))
  }

  readonly #retry = () => {
    // Removed in one go: a shift() of a long array moves all of it.
    let sent = 0
    while (sent < this.#backlog.length && this.#write(this.#backlog[sent] as string)) sent++
    this.#backlog.splice(0, sent)
    if (this.#out.mustRing()) this.#ring()
    if (this.#backlog.length > 0) setTimeout(this.#retry, FULL)
  }

  /** The doorbell. */
  wake(): void {
    if (this.#looking) return
    this.#looking = true
    this.#look()
  }

  readonly #look = (): void => {
    // One after the other, not both at once: sleeping sets the flag that makes the writer ring.
    if (this.drain() || !this.#in.sleep()) setImmediate(this.#look)
    else this.#looking = false
  }

  /** Takes what is there now. Also for what a dead thread left behind. */
  drain(): boolean {
    let text = this.#in.read()
    if (text === undefined) return false
    while (text !== undefined) {
      this.#onText(text ?? this.#aside())
      text = this.#in.read()
    }
    return true
  }

  #aside(): string {
    const received = receiveMessageOnPort(this.#side)
    if (received === undefined) throw new Error('the side channel is empty: its message was announced')
    return received.message as string
  }

  close(): void {
    this.#backlog = []
    this.#side.close()
  }
}

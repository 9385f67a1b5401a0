/**
 * Two rings, one each way, with a doorbell for a reader that sleeps and a side channel for what is too long.
 * Messages arrive in the order they were sent, whichever way they took.
 *
 * A reader that found something looks once more in the next turn of its event loop before it sleeps. Two ways not to
 * need the bell, which costs as much CPU as a small job:
 * - An executor that holds no run naps first: a thread that blocks as a whole is woken in a third of the time.
 * - A supervisor that will hear from Redis in a moment does not ask for the bell: it looks when the answer comes.
 * Looking out without sleeping (0.05 to 1 ms, at either end) was tried and made every load slower: Redis wants the core.
 */
import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { LONGEST, Ring } from './ring.ts'

/** Milliseconds between two tries to write into a full ring. */
const FULL = 1

/** Milliseconds that an idle executor naps: what its other timers and sockets may be late by, once, after a run. */
const NAP = 1

/** What a reader does instead of sleeping. */
export interface Rest {
  /** Whether the thread may block for a moment: nothing in it is waited for. */
  mayNap?: () => boolean
  /** Whether somebody will call `glance()` in a moment. */
  isGlanceDue?: () => boolean
  /** Rings for what is still unread: the other end may have trusted in a glance that is late. */
  reminds?: boolean
}

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
  readonly #rest: Rest
  #backlog: string[] = []
  #looking = false

  /** `ring` makes the other end call `wake()`. */
  constructor(end: WireEnd, ring: () => void, onText: (text: string) => void, rest: Rest = {}) {
    this.#out = new Ring(end.outgoing)
    this.#in = new Ring(end.incoming)
    this.#side = end.side
    this.#ring = ring
    this.#onText = onText
    this.#rest = rest
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
    if (!this.#writeBacklog()) setTimeout(this.#retry, FULL)
  }

  #writeBacklog(): boolean {
    // Removed in one go: a shift() of a long array moves all of it.
    let sent = 0
    while (sent < this.#backlog.length && this.#write(this.#backlog[sent] as string)) sent++
    this.#backlog.splice(0, sent)
    if (this.#out.mustRing()) this.#ring()
    return this.#backlog.length === 0
  }

  /** Blocks until the other end has room for all that was sent: for a thread that is about to exit. Gives up after `ms`. */
  flush(ms: number): void {
    const end = performance.now() + ms
    while (!this.#writeBacklog() && performance.now() < end) this.#out.waitForReader(FULL)
  }

  /** The doorbell. */
  wake(): void {
    if (this.#looking) return
    this.#looking = true
    this.#look()
  }

  readonly #look = (): void => {
    if (this.drain() || this.#isWokenFromNap()) setImmediate(this.#look)
    else if (this.#rest.isGlanceDue?.()) this.#looking = false
    else this.#sleep()
  }

  #isWokenFromNap(): boolean {
    return this.#rest.mayNap?.() === true && this.#in.nap(NAP) && this.drain()
  }

  #sleep(): void {
    if (this.#rest.reminds && this.#out.unread) this.#ring()
    this.#looking = !this.#in.sleep()
    if (this.#looking) setImmediate(this.#look)
  }

  /** For a reader that did not ask for the bell. Cheap when there is nothing. */
  glance(): void {
    if (this.#looking) return
    this.drain()
    if (!this.#rest.isGlanceDue?.()) this.#sleep()
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

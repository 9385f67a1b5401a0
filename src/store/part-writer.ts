/**
 * Writes one file into a bucket, in parts. Bytes are copied into buffers of a fixed size, however small the pieces are in
 * which they come; so its memory is (queue + 1) x part size at most, and never grows with a slow bucket. What fits into one
 * part is put as it is.
 *
 *   filling --full--> on its way --stored--> free      at most `queue` on their way
 *
 * Destroyed before it has finished, it waits for the parts that are on their way, takes the upload back, and looks whether
 * a late part has come back to life: `settled` resolves after that.
 */
import { Writable } from 'node:stream'
import type { PartBuffers } from './part-buffers.ts'
import { tell, type Done } from './callback.ts'
import type { StoreWriter } from './store.ts'

/** What a bucket does for one file. Each call tries again by itself. */
export interface PartTarget {
  put(body: Buffer, signal: AbortSignal): Promise<void>
  create(signal: AbortSignal): Promise<string>
  part(upload: string, number: number, body: Buffer, signal: AbortSignal): Promise<Part>
  complete(upload: string, parts: Part[], signal: AbortSignal): Promise<void>
  /** Also when it is not there, or part of it comes too late. */
  abort(upload: string): Promise<void>
  /** The file as a whole, which may be there though nobody has said so. */
  remove(): Promise<void>
}

export interface Part {
  ETag: string
  PartNumber: number
}

/** Parts of one size: with 10,000 in all, 5 TiB fit. */
const SAME_SIZE = 970
/** The largest part that there is. */
const LARGEST = 5 * 1024 ** 3

/**
 * Bytes of the part of that number, counted from 1: twice as many after each 970. So they are as small as they may be:
 * from 5 MiB on, a file of 4 GiB has no larger ones, one of 50 GiB has some of 40 MiB.
 */
export function partSizeOf(number: number, first: number): number {
  return Math.min(first * 2 ** Math.floor((number - 1) / SAME_SIZE), LARGEST)
}

export class PartWriter extends Writable implements StoreWriter {
  readonly settled: Promise<void>
  readonly #target: PartTarget
  readonly #buffers: PartBuffers
  readonly #first: number
  readonly #queue: number
  readonly #settle: () => void
  readonly #stop = new AbortController()
  readonly #onWay = new Set<Promise<void>>()
  readonly #parts: Part[] = []
  #filling: Buffer | undefined
  #filled = 0
  #upload: Promise<string> | undefined
  #number = 0
  #finishing: Promise<void> | undefined
  #failure: Error | undefined

  constructor(target: PartTarget, buffers: PartBuffers, { partSize = 0, queue = 0 }) {
    super({ highWaterMark: 64 * 1024 })
    this.#target = target
    this.#buffers = buffers
    this.#first = partSize
    this.#queue = queue
    const { promise, resolve } = Promise.withResolvers<void>()
    this.settled = promise
    this.#settle = resolve
  }

  override _write(chunk: Buffer, _encoding: unknown, done: Done): void {
    const room = this.#filling === undefined ? 0 : this.#filling.length - this.#filled
    // Nearly always: no promise for each little piece.
    if (chunk.length < room) {
      this.#filled += chunk.copy(this.#filling!, this.#filled)
      done(this.#failure)
      return
    }
    void tell(done, this.#take(chunk))
  }

  override _final(done: Done): void {
    void tell(done, this.#finish())
  }

  /** Called when it is finished, too. */
  override _destroy(error: Error | null, done: Done): void {
    const isDone = this.writableFinished
    this.#stop.abort(error ?? new Error('the upload was aborted'))
    void this.#end(isDone, error, done)
  }

  async #take(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      if (this.#filling !== undefined && this.#filled === this.#filling.length) await this.#send()
      this.#filling ??= await this.#nextBuffer()
      const copied = chunk.copy(this.#filling, this.#filled, at)
      this.#filled += copied
      at += copied
    }
  }

  /** Waits while as many are on their way as may be. */
  async #nextBuffer(): Promise<Buffer> {
    for (;;) {
      this.#check()
      const size = partSizeOf(this.#number + 1, this.#first)
      const buffer = this.#buffers.take(size, this.#onWay.size === 0)
      if (buffer !== undefined) return buffer
      await Promise.race(this.#onWay)
    }
  }

  /** Begins to send what is filled. */
  async #send(): Promise<void> {
    while (this.#onWay.size >= this.#queue) await Promise.race(this.#onWay)
    this.#check()
    const { signal } = this.#stop
    this.#upload ??= this.#target.create(signal)
    const upload = await this.#upload
    this.#check()
    const buffer = this.#filling!
    const body = buffer.subarray(0, this.#filled)
    const number = ++this.#number
    this.#filling = undefined
    this.#filled = 0
    const way = this.#target.part(upload, number, body, signal).then(
      part => {
        this.#parts.push(part)
        this.#buffers.give(buffer, true)
      },
      (error: unknown) => {
        this.#failure ??= error as Error
        this.#buffers.give(buffer, false)
        this.destroy(this.#failure)
      },
    )
    const tracked: Promise<void> = way.finally(() => this.#onWay.delete(tracked))
    this.#onWay.add(tracked)
  }

  async #finish(): Promise<void> {
    const { signal } = this.#stop
    const isWhole = this.#upload === undefined
    const body = this.#filling?.subarray(0, this.#filled) ?? Buffer.alloc(0)
    if (!isWhole && body.length > 0) await this.#send()
    await Promise.all(this.#onWay)
    this.#check()
    const parts = this.#parts.toSorted((a, b) => a.PartNumber - b.PartNumber)
    this.#finishing = isWhole
      ? this.#target.put(body, signal)
      : this.#target.complete(await this.#upload!, parts, signal)
    await this.#finishing
    this.#check()
    this.#drop(true)
  }

  async #end(isDone: boolean, error: Error | null, done: Done): Promise<void> {
    await this.#clear(isDone)
    this.#settle()
    done(error)
  }

  async #clear(isDone: boolean): Promise<void> {
    // A buffer is nobody's before what reads from it has ended.
    await Promise.allSettled([...this.#onWay, this.#finishing])
    this.#drop(isDone)
    if (isDone) return
    const upload = await this.#upload?.catch(() => undefined)
    // What cannot be taken back now, the sweep takes back later.
    if (upload !== undefined) await this.#target.abort(upload).catch(() => undefined)
    // It may be whole: the answer was lost, or came after it was destroyed.
    if (this.#finishing !== undefined) await this.#target.remove().catch(() => undefined)
  }

  #drop(isClean: boolean): void {
    if (this.#filling !== undefined) this.#buffers.give(this.#filling, isClean)
    this.#filling = undefined
    this.#filled = 0
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#stop.signal.throwIfAborted()
  }
}
